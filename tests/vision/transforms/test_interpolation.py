"""Names of the interpolation modes."""

import pytest
from PIL import Image

from triptych.errors import UnknownNameError
from triptych_vision.transforms import InterpolationMode
from triptych_vision.transforms.interpolation import interpolation_mode


# Pillow 13 has two more, which torchvision does not name.
@pytest.mark.parametrize(
    "code", [c for c in Image.Resampling if c.name in InterpolationMode.__members__]
)
def test_codes_are_pillows(code: Image.Resampling) -> None:
    mode = interpolation_mode(code)
    assert mode is InterpolationMode[code.name]
    assert mode.pillow_code == code


def test_strings_and_members() -> None:
    for member in InterpolationMode:
        assert interpolation_mode(member) is member
        assert interpolation_mode(member.value.upper()) is member


@pytest.mark.parametrize("wrong", ["linear", 9, None])
def test_others_are_refused(wrong: object) -> None:
    with pytest.raises(UnknownNameError, match="nearest-exact, bilinear"):
        interpolation_mode(wrong)  # type: ignore[arg-type]
