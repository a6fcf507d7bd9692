"""Makes the small FITS files and golden.json of FITSTests with astropy. Run by hand: python3 make_golden.py"""

import json
import os
import sys

import astropy
import numpy as np
from astropy.io import fits

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = {}


def wcs(header):
    """Adds a small world coordinate system, with a matrix, a distortion term and an alternative system."""
    header["CTYPE1"] = ("RA---TAN-SIP", "axis 1")
    header["CTYPE2"] = "DEC--TAN-SIP"
    header["CRPIX1"] = 3.5
    header["CRPIX2"] = 2.25
    header["CRVAL1"] = 150.123456789012
    header["CRVAL2"] = -2.2
    header["CD1_1"] = -5.5e-05
    header["CD1_2"] = 1e-07
    header["CD2_1"] = 1e-07
    header["CD2_2"] = 5.5e-05
    header["A_ORDER"] = 2
    header["A_2_0"] = 1.25e-06
    header["CRPIX1A"] = 13.5
    header["RADESYS"] = "ICRS"
    header["EQUINOX"] = 2000.0


def save(name, hdus):
    fits.HDUList(hdus).writeto(os.path.join(HERE, name), overwrite=True)


def keep(name, values, **more):
    """Records what must be read: NaN as null."""
    values = np.asarray(values, dtype=float)
    rows = [[None if not np.isfinite(v) else float(v) for v in row] for row in values]
    GOLDEN[name] = {"rows": rows, **more}


y, x = np.mgrid[0:4, 0:6]
base = (10 * y + x).astype(float)

for code, kind in (("u8", np.uint8), ("i16", np.int16), ("i32", np.int32), ("i64", np.int64)):
    data = (base - (0 if code == "u8" else 20)).astype(kind)
    save(f"{code}.fits", [fits.PrimaryHDU(data)])
    keep(f"{code}.fits", data)
for code, kind in (("f32", np.float32), ("f64", np.float64)):
    data = (np.pi * base - 1 / 3).astype(kind)
    data[1, 2] = np.nan
    save(f"{code}.fits", [fits.PrimaryHDU(data)])
    keep(f"{code}.fits", data)

unsigned = (base + 65500).astype(np.uint16)
unsigned[3, 5] = 65535
save("u16.fits", [fits.PrimaryHDU(unsigned)])
keep("u16.fits", unsigned)

# BSCALE, BZERO and BLANK by hand: astropy would otherwise turn the data into floats.
raw = (base - 20).astype(np.int16)
raw[2, 1] = -32768
hdu = fits.PrimaryHDU(raw)
hdu.header["BSCALE"] = 0.25
hdu.header["BZERO"] = 100.0
hdu.header["BLANK"] = -32768
hdu.writeto(os.path.join(HERE, "scaled.fits"), overwrite=True, output_verify="ignore")
physical = raw * 0.25 + 100.0
physical[2, 1] = np.nan
keep("scaled.fits", physical)

first = fits.PrimaryHDU()
first.header["OBJECT"] = "the primary HDU is empty"
science = fits.ImageHDU(base, name="SCI")
wcs(science.header)
science.header["OBSERVER"] = ("O'Neill", "a quote in a string")
science.header["LONGTEXT"] = ("long " * 30).strip()
science.header["EXPTIME"] = (1.5e-7, "[s] small")
science.header["NCOMBINE"] = 7
science.header["FLATTED"] = True
science.header["HIERARCH ESO TEL AMBI"] = 1.25
science.header["NOVALUE"] = None
science.header.add_history("made for a test")
science.header.add_comment("a comment card")
second = fits.ImageHDU(base + 100, name="SCI", ver=2)
table = fits.BinTableHDU.from_columns(
    [
        fits.Column("name", "6A", array=np.array(["one", "two", "three"])),
        fits.Column("flux", "E", unit="nJy", array=np.array([1.5, np.nan, -3.0], dtype=np.float32)),
        fits.Column("id", "J", array=np.array([11, 12, 13])),
        fits.Column("pair", "2D", array=np.array([[1, 2], [3, 4], [5, 6.5]])),
        fits.Column("good", "L", array=np.array([True, False, True])),
        fits.Column("list", "PD()", array=np.array([[1.0], [1.0, 2.0], []], dtype=object)),
    ],
    name="CAT",
)
save("multi.fits", [first, science, second, table])
keep("multi.fits", base)

cube = np.stack([base, base + 100, base + 200])
save("cube.fits", [fits.PrimaryHDU(cube)])
save("flat_cube.fits", [fits.PrimaryHDU(cube[1:2])])
save("line.fits", [fits.PrimaryHDU(base[0])])
save("empty.fits", [fits.PrimaryHDU()])
save("table_only.fits", [fits.PrimaryHDU(), table])
save("zipped.fits.gz", [fits.PrimaryHDU(base)])
keep("zipped.fits.gz", base)

counts = (base * 3 - 40).astype(np.int16)
header = fits.Header()
wcs(header)
save("rice.fits.fz", [fits.PrimaryHDU(), fits.CompImageHDU(counts, header, compression_type="RICE_1")])
keep("rice.fits.fz", counts)
real = np.pi * base - 1 / 3
real[0, 3] = np.nan
save(
    "gzip.fits.fz",
    [fits.PrimaryHDU(), fits.CompImageHDU(real, compression_type="GZIP_2", quantize_level=0)],
)
keep("gzip.fits.fz", real)

with open(os.path.join(HERE, "f64.fits"), "rb") as file:
    whole = file.read()
with open(os.path.join(HERE, "truncated.fits"), "wb") as file:
    file.write(whole[: 2880 + 100])
with open(os.path.join(HERE, "zipped.fits.gz"), "rb") as file:
    whole = file.read()
with open(os.path.join(HERE, "truncated.fits.gz"), "wb") as file:
    file.write(whole[: len(whole) // 2])
with open(os.path.join(HERE, "no.fits"), "w") as file:
    file.write("This is a text file.\n" * 20)

GOLDEN["_made"] = {
    "generator": f"astropy {astropy.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}",
    "command": "python3 make_golden.py",
    "date": "2026-11-23",
    "tolerance": "none: every value is representable and must be equal",
}
with open(os.path.join(HERE, "golden.json"), "w") as file:
    json.dump(GOLDEN, file)
