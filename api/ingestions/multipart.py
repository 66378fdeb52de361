"""Reading of uploaded files from `multipart/form-data` (RFC 7578), piece by piece, to disk.

The parts are `file`, each with a name, and at most one `options` in JSON.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request, status
from fastapi.concurrency import run_in_threadpool
from pydantic_core import PydanticCustomError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from api.http.openapi import MULTIPART
from api.ingestions.naming import name_file
from api.wire.ingestions import check_source
from core.contracts.limits import MAX_FILES
from core.domain.errors import Invalid
from core.domain.pointers import join
from core.ports.uploads import IncomingFile, UploadStore

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE = "file"
OPTIONS = "options"
MAX_OPTIONS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that was uploaded under a name; `media_type` is what the client says of it."""

    source: str
    sha256: str
    media_type: str | None


@dataclass(slots=True)
class UploadedForm:
    files: list[UploadedFile] = field(default_factory=list)
    options: bytes | None = None


async def read_form(request: Request, uploads: UploadStore) -> UploadedForm:
    """Read the parts of a body; each file is complete and on disk when its part ends.

    Raises:
        HTTPException: 400, the body is no `multipart/form-data`, or is cut off.
        Invalid: a part has an unknown name or a file no valid name.
        StorageError: there is no room for a file, or the disk fails.
    """
    _, parameters = parse_options_header(request.headers.get("content-type", ""))
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise _malformed("its Content-Type has no boundary")
    reader = _FormReader(uploads)
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for piece in request.stream():
            await run_in_threadpool(parser.write, piece)
    except FormParserError as error:
        raise _malformed(str(error)) from error
    finally:
        reader.discard()
    if not reader.is_complete:
        raise _malformed("it ends before its closing boundary")
    return reader.form


class _FormReader:
    """The form so far, and the part that is being read."""

    def __init__(self, uploads: UploadStore) -> None:
        self.form = UploadedForm()
        self.is_complete = False
        self._uploads = uploads
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._incoming: IncomingFile | None = None
        self._source = ""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_name,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def discard(self) -> None:
        """Delete the file of a part that has not ended."""
        if self._incoming is not None:
            self._incoming.discard()

    def _begin_part(self) -> None:
        self._headers = {}

    def _add_to_name(self, piece: bytes, start: int, end: int) -> None:
        self._header_name += piece[start:end]

    def _add_to_value(self, piece: bytes, start: int, end: int) -> None:
        self._header_value += piece[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        _, parameters = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = parameters.get(b"name", b"").decode(errors="replace")
        if name == OPTIONS:
            if self.form.options is not None:
                raise Invalid.at("/options", "There may be only one part with options.")
            self.form.options = b""
            return
        if name != FILE:
            raise Invalid.at(join("", name), "The parts of an upload are file and options.")
        number = len(self.form.files)
        if number == MAX_FILES:
            raise Invalid.at("/file", f"An upload has at most {MAX_FILES} files.")
        self._source = _source(parameters.get(b"filename", b""), join("/file", number))
        with name_file(self._source):
            self._incoming = self._uploads.begin()

    def _take(self, piece: bytes, start: int, end: int) -> None:
        if self._incoming is not None:
            with name_file(self._source):
                self._incoming.write(piece[start:end])
            return
        assert self.form.options is not None
        self.form.options += piece[start:end]
        if len(self.form.options) > MAX_OPTIONS_BYTES:
            raise Invalid.at("/options", f"Options have at most {MAX_OPTIONS_BYTES} bytes.")

    def _end_part(self) -> None:
        if self._incoming is None:
            return
        with name_file(self._source):
            sha256 = self._incoming.keep()
        self.discard()
        self._incoming = None
        media_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.form.files.append(UploadedFile(self._source, sha256, media_type or None))

    def _end(self) -> None:
        self.is_complete = True


def _source(filename: bytes, pointer: str) -> str:
    """Return the name of a file as its source.

    Raises:
        Invalid: the part has no name, or one that is not printable UTF-8.
    """
    try:
        return check_source(filename.decode())
    except UnicodeDecodeError:
        raise Invalid.at(pointer, "The name of a file must be UTF-8.") from None
    except PydanticCustomError as error:
        raise Invalid.at(pointer, error.message()) from None


def _malformed(why: str) -> HTTPException:
    return HTTPException(status.HTTP_400_BAD_REQUEST, f"The body is not valid {MULTIPART}: {why}.")
