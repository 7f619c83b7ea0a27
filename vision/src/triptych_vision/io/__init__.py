"""Image and video files to tensors and back: Pillow decodes images, PyAV films.

Images are uint8 (c, h, w), films uint8 (t, h, w, c). A file is known by its content, not its name.
"""

from .image import *
from .image import __all__ as _image
from .video import *
from .video import __all__ as _video
from .video_reader import *
from .video_reader import __all__ as _video_reader

__all__ = sorted((*_image, *_video, *_video_reader))
