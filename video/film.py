"""A film: clips one after the other, each with a caption below it."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from video.drawing import HEIGHT, WIDTH, caption_bar, decode

FRAMES_A_SECOND = 12
_READ_CHARS_A_SECOND = 17
_SHORTEST_S = 3.0
_LAST_FRAME_S = 2.5

Clip: TypeAlias = Sequence[tuple[float, bytes]]
"""Pictures in PNG, each with the seconds from the clip's start at which it appears."""


def joined(*clips: Clip) -> Clip:
    """Return clips one after the other as one."""
    pictures: list[tuple[float, bytes]] = []
    start_s = 0.0
    for clip in clips:
        pictures += [(start_s + at_s, picture) for at_s, picture in clip]
        start_s = pictures[-1][0]
    return pictures


@dataclass(frozen=True, slots=True)
class _Scene:
    clip: Clip
    caption: str
    speed: float
    duration_s: float

    def picture_at(self, at_s: float) -> bytes:
        shown = [picture for start, picture in self.clip if start / self.speed <= at_s]
        return shown[-1] if shown else self.clip[0][1]


@dataclass(slots=True)
class Film:
    """The scenes so far."""

    scenes: list[_Scene] = field(default_factory=list)

    @property
    def duration_s(self) -> float:
        return sum(scene.duration_s for scene in self.scenes)

    def add(
        self, caption: str, clip: Clip, *, speed: float = 1.0, shortest_s: float = _SHORTEST_S
    ) -> None:
        """Append a clip; a `speed` above 1 is shown next to the caption.

        The last picture stays until the caption can be read.
        """
        read_s = max(shortest_s, len(caption) / _READ_CHARS_A_SECOND)
        played_s = clip[-1][0] / speed + _LAST_FRAME_S
        self.scenes.append(_Scene(clip, caption, speed, max(read_s, played_s)))

    def write(self, path: Path) -> None:
        """Write the film as MP4 with the captions burnt in, and the captions as WebVTT.

        Raises:
            subprocess.CalledProcessError: ffmpeg fails.
        """
        _encode(
            ["-c:v", "libx264", "-preset", "slow", "-crf", "27", "-pix_fmt", "yuv420p"],
            ["-movflags", "+faststart", str(path)],
            self._frames(FRAMES_A_SECOND),
            FRAMES_A_SECOND,
        )
        path.with_suffix(".vtt").write_text(self._web_vtt(), encoding="utf-8")

    def write_picture(self, path: Path) -> None:
        """Write the film as an animated WebP of half the size, which a README can show.

        Raises:
            subprocess.CalledProcessError: ffmpeg fails.
        """
        scale = ["-vf", f"scale={WIDTH // 2}:-1", "-c:v", "libwebp_anim", "-quality", "60"]
        frames = self._frames(_PICTURE_FRAMES_A_SECOND)
        _encode(scale, ["-loop", "0", str(path)], frames, _PICTURE_FRAMES_A_SECOND)

    def _frames(self, rate: int) -> Iterator[bytes]:
        began_s, number = 0.0, 0
        for scene in self.scenes:
            frame = _Frame(scene)
            while number / rate < began_s + scene.duration_s:
                yield frame.at(number / rate - began_s)
                number += 1
            began_s += scene.duration_s

    def _web_vtt(self) -> str:
        lines, start_s = ["WEBVTT", ""], 0.0
        for scene in self.scenes:
            end_s = start_s + scene.duration_s
            lines += [f"{_timestamp(start_s)} --> {_timestamp(end_s)}", scene.caption, ""]
            start_s = end_s
        return "\n".join(lines)


class _Frame:
    """The pixels of a scene at a time; those of a picture that stays are computed once."""

    def __init__(self, scene: _Scene) -> None:
        self._scene = scene
        self._bar = caption_bar(scene.caption, scene.speed)
        self._picture: bytes | None = None
        self._pixels = b""

    def at(self, at_s: float) -> bytes:
        picture = self._scene.picture_at(at_s)
        if picture is not self._picture:
            self._picture = picture
            frame = Image.new("RGB", (WIDTH, HEIGHT))
            frame.paste(decode(picture), (0, 0))
            frame.paste(self._bar, (0, HEIGHT - self._bar.height))
            self._pixels = frame.tobytes()
        return self._pixels


_PICTURE_FRAMES_A_SECOND = 6
_RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}"]


def _encode(
    options: Sequence[str], output: Sequence[str], frames: Iterator[bytes], rate: int
) -> None:
    """Give the frames, `rate` a second, to ffmpeg."""
    source = [*_RAW, "-r", str(rate), "-i", "-"]
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *options, *output]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:  # noqa: S603
        assert encoder.stdin is not None
        for frame in frames:
            encoder.stdin.write(frame)
        encoder.stdin.close()
        if encoder.wait():
            raise subprocess.CalledProcessError(encoder.returncode, command)


def _timestamp(at_s: float) -> str:
    minutes, seconds = divmod(at_s, 60)
    return f"{int(minutes):02}:{seconds:06.3f}"
