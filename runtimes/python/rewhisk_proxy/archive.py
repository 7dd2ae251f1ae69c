"""Unpacks an action's archive into a folder, and refuses whatever would reach beyond that folder."""

# Nothing is trusted: names, links, sizes and modes come from strangers. Every check is made here, for both formats,
# and names the entry. The folder is new and this process alone writes below it, so a path that was checked stays what
# it was: parents are only ever real folders made here, and links are made last, after every file. zipfile itself
# drops symbolic links and modes; tarfile's own filters exist only in newer versions.

import errno
import gzip
import io
import os
import stat
import tarfile
import zipfile

_MAX_ENTRIES = 100_000
_MAX_PATH_BYTES = 4096
_CHUNK_BYTES = 256 * 1024
_MADE_BY_UNIX = 3
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644


class ArchiveError(Exception):
    """An archive that is not unpacked; the message says why, and which entry."""


def archive_format(data):
    """"zip", "tar.gz", or None for anything else."""
    if data[:4] == b"PK\x03\x04":
        return "zip"
    return "tar.gz" if data[:3] == b"\x1f\x8b\x08" else None


def unpack(data, root):
    """Unpacks the bytes into the new folder `root`. Raises ArchiveError; the folder is then partly filled."""
    os.mkdir(root, _FOLDER_MODE)
    tree = _Tree(root)
    try:
        if archive_format(data) == "zip":
            _add_zip(data, tree)
        else:
            _add_tar(data, tree)
        tree.finish()
    except ArchiveError:
        raise
    except Exception as error:
        # Which errors zipfile and tarfile raise over a broken archive is no closed list.
        raise ArchiveError(f"the archive cannot be read: {error}") from error


def _add_zip(data, tree):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16 if info.create_system == _MADE_BY_UNIX else 0
            kind = stat.S_IFMT(mode)
            name = info.orig_filename
            if info.flag_bits & 1:
                raise _refusal(name, "is encrypted")
            if stat.S_ISLNK(kind):
                if info.file_size > _MAX_PATH_BYTES:
                    raise _refusal(name, "is a link to too long a path")
                tree.add_link(name, os.fsdecode(archive.read(info)))
            elif stat.S_ISDIR(kind) or info.is_dir():
                tree.add_folder(name, mode & 0o777)
            elif kind in (0, stat.S_IFREG):
                with archive.open(info) as content:
                    tree.add_file(name, mode & 0o777, content)
            else:
                raise _refusal(name, "is neither a file nor a folder nor a link")


def _add_tar(data, tree):
    # Opened by gzip: tarfile's own "r|gz" copies, at each entry, all that one piece of its input has become.
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as content, tarfile.open(fileobj=content, mode="r|") as archive:
        for info in archive:
            mode = info.mode & 0o777
            if info.isdir():
                tree.add_folder(info.name, mode)
            elif info.isreg():
                tree.add_file(info.name, mode, archive.extractfile(info))
            elif info.issym():
                tree.add_link(info.name, info.linkname)
            elif info.islnk():
                tree.add_hard_link(info.name, info.linkname)
            else:
                raise _refusal(info.name, "is neither a file nor a folder nor a link")


class _Tree:
    """The folder being filled."""

    def __init__(self, root):
        self._root = root
        room = os.statvfs(root)
        self._room_bytes = room.f_bavail * room.f_frsize
        self._used_bytes = 0
        self._entries = 0
        self._folders = {""}
        self._folder_modes = {}
        self._links = []
        self._hard_links = []

    def add_folder(self, path, mode):
        name = self._counted(path)
        self._make_folder(name, path)
        if mode and name:
            self._folder_modes[name] = mode | stat.S_IRWXU

    def add_file(self, path, mode, content):
        name = self._counted(path)
        if not name:
            raise _refusal(path, "has no name")
        if name in self._folders:
            raise _refusal(path, "is a file and a folder at once")
        self._make_folder(os.path.dirname(name), path)
        mode = mode | stat.S_IRUSR | stat.S_IWUSR if mode else _FILE_MODE
        place = os.path.join(self._root, name)
        with _Naming(path):
            if os.path.lexists(place):
                os.unlink(place)
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
            with open(descriptor, "wb", buffering=0) as file:
                self._copy(content, file, path)

    def _copy(self, content, file, path):
        # What is really there counts, not what the archive says of it: an entry may lie about its size.
        while chunk := content.read(_CHUNK_BYTES):
            self._used_bytes += len(chunk)
            if self._used_bytes > self._room_bytes:
                raise _refusal(path, f"does not fit: there is room for {self._room_bytes} bytes")
            file.write(chunk)

    def add_link(self, path, target):
        self._links.append((self._counted(path), path, target))

    def add_hard_link(self, path, target):
        self._hard_links.append((self._counted(path), path, target))

    def finish(self):
        """Makes the links, now that no file can be written through them any more, and gives folders their modes."""
        for name, path, target in self._hard_links:
            self._make_folder(os.path.dirname(name), path)
            with _Naming(path):
                source = os.path.join(self._root, _checked_name(target))
                if not stat.S_ISREG(os.lstat(source).st_mode):
                    raise _refusal(path, "is a hard link to something else than a file")
                os.link(source, os.path.join(self._root, name), follow_symlinks=False)
        for name, path, target in self._links:
            self._make_link(name, path, target)
        for name, path, target in self._links:
            self._check_inside(name, path, target)
        for name, mode in self._folder_modes.items():
            os.chmod(os.path.join(self._root, name), mode)

    def _make_link(self, name, path, target):
        aim = os.path.normpath(os.path.join(os.path.dirname(name), target))
        if os.path.isabs(target) or "\0" in target or aim == ".." or aim.startswith("../"):
            raise _refusal(path, f'is a link that leaves the archive\'s folder (to "{target}")')
        self._make_folder(os.path.dirname(name), path)
        with _Naming(path):
            os.symlink(target, os.path.join(self._root, name))

    def _check_inside(self, name, path, target):
        # A chain of links each of which looks harmless may still lead out.
        root = os.path.realpath(self._root)
        real = os.path.realpath(os.path.join(self._root, name))
        if real != root and not real.startswith(root + "/"):
            raise _refusal(path, f'is a link that leaves the archive\'s folder (to "{target}")')

    def _make_folder(self, name, path):
        if name in self._folders:
            return
        self._make_folder(os.path.dirname(name), path)
        with _Naming(path):
            os.mkdir(os.path.join(self._root, name), _FOLDER_MODE)
        self._folders.add(name)

    def _counted(self, path):
        self._entries += 1
        if self._entries > _MAX_ENTRIES:
            raise _refusal(path, f"is one more than the {_MAX_ENTRIES} an archive may hold")
        return _checked_name(path)


class _Naming:
    """Turns an error of the file system into a refusal that names the entry."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, OSError):
            return
        if error.errno == errno.ENOSPC:
            raise _refusal(self._path, "does not fit: the container's disk is full") from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
            raise _refusal(self._path, "is a file and a folder at once") from error
        raise _refusal(self._path, f"cannot be written: {error.strerror}") from error


def _checked_name(path):
    """The entry's name without "./" and trailing "/"; "" for the root itself."""
    if "\0" in path or "\\" in path:
        raise _refusal(path, "has a character that no name may have")
    if path.startswith("/"):
        raise _refusal(path, "has an absolute path")
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise _refusal(path, "has too long a path")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refusal(path, "leaves the archive's folder")
    return "/".join(parts)


def _refusal(path, why):
    return ArchiveError(f'entry "{path}" {why}')
