"""This package's own catalogue: small real files for examples and tests.

Each lies in a wheel of a well-known project. The hash is the file's own, so the wheel of any
platform and Python version will do.
"""

from triptych_datasets.artifact import Artifact

__all__ = ["ARTIFACTS"]

ARTIFACTS = (
    Artifact(
        "chelsea.png",
        sources=("pypi:scikit-image==0.26.0#skimage/data/chelsea.png",),
        sha256="596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        size=240_512,
        licence="CC0-1.0",
        description="photograph of a tabby cat, 451 x 300 RGB",
    ),
    Artifact(
        "coffee.png",
        sources=("pypi:scikit-image==0.26.0#skimage/data/coffee.png",),
        sha256="cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        size=466_706,
        licence="CC0-1.0",
        description="photograph of an espresso cup, 600 x 400 RGB",
    ),
    Artifact(
        "digits.csv.gz",
        sources=("pypi:scikit-learn==1.9.1#sklearn/datasets/data/digits.csv.gz",),
        sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        size=57_523,
        licence="BSD-3-Clause",
        description="1,797 handwritten digits, 8 x 8 grey levels 0 to 16, then the label",
    ),
    Artifact(
        "house_lo.mp3",
        sources=("pypi:pygame==2.6.1#pygame/examples/data/house_lo.mp3",),
        sha256="4749d9517ca6329fd72cf53c4b5cafb2255e593e8c28bb79463a7e5929d5acb4",
        size=116_320,
        licence="LGPL-2.1-or-later",
        description="seven seconds of house music at 11,025 Hz, as mp3",
    ),
    Artifact(
        "house_lo.ogg",
        sources=("pypi:pygame==2.6.1#pygame/examples/data/house_lo.ogg",),
        sha256="eb8162435663abe70e8fa066c9afefdd98c45a605a199953975f6e74a6b3eac5",
        size=31_334,
        licence="LGPL-2.1-or-later",
        description="the same as Vorbis",
    ),
    Artifact(
        "house_lo.wav",
        sources=("pypi:pygame==2.6.1#pygame/examples/data/house_lo.wav",),
        sha256="0750707c568f22c4b169ab21fa281523f604f5241dd410974539d200ab0dba76",
        size=78_464,
        licence="LGPL-2.1-or-later",
        description="the same as 8-bit wav",
    ),
)
