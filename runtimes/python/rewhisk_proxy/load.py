"""Turns an action's code, a source text or an archive, into the function to call."""

import importlib.machinery
import importlib.util
import os
import sys
import types

from rewhisk_proxy.archive import ArchiveError, archive_format, unpack

# The name under which OpenWhisk's python runtime imports an action's code.
MODULE = "main__"


class LoadError(Exception):
    """The code does not make an action; the message is for the user's log."""


class Place:
    """Where an action's code goes below `home`."""

    def __init__(self, home, folder="code"):
        self.home = home
        self.code_folder = os.path.join(home, folder)
        self.file = os.path.join(home, MODULE + ".py")


class _SourceLoader:
    """Lets tracebacks and inspect show the lines of a source that is in no file."""

    def __init__(self, source):
        self._source = source

    def get_source(self, name):
        return importlib.util.decode_source(self._source) if name == MODULE else None


def load_source(place, source, main):
    """Runs a source text as the module `main__`; gives its function."""
    code = compile(source, place.file, "exec", dont_inherit=True)
    module = types.ModuleType(MODULE)
    module.__file__ = place.file
    module.__loader__ = loader = _SourceLoader(source)
    module.__spec__ = importlib.machinery.ModuleSpec(MODULE, loader, origin=place.file)
    sys.modules[MODULE] = module
    sys.path.insert(0, place.home)
    exec(code, module.__dict__)
    return _function(module, main)


def load_archive(place, data, main):
    """Unpacks an archive and loads it; gives its function."""
    unpack_archive(place, data)
    return load_folder(place.code_folder, main)


def unpack_archive(place, data):
    if archive_format(data) is None:
        raise LoadError("The code is neither a zip nor a tar.gz archive.")
    try:
        unpack(data, place.code_folder)
    except ArchiveError as error:
        raise LoadError(f"There was an error uncompressing the action archive: {error}") from error


def load_folder(folder, main):
    """Of an archive that is unpacked: activates its virtualenv, imports its `__main__.py` as `main__`; gives its function."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    file = _entry_file(folder)
    _activate_virtualenv(os.path.join(folder, "virtualenv"))
    return _function(_import_file(file), main)


def _entry_file(folder):
    # "exec" is what a single file is called in OpenWhisk's compiled form.
    for name in ("exec", "__main__.py", MODULE + ".py"):
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            return file
    raise LoadError("Zip file does not include __main__.py")


def _import_file(file):
    loader = importlib.machinery.SourceFileLoader(MODULE, file)
    spec = importlib.machinery.ModuleSpec(MODULE, loader, origin=file)
    spec.has_location = True
    source = loader.get_code(MODULE)
    module = types.ModuleType(MODULE)
    module.__file__, module.__loader__, module.__spec__, module.__package__ = file, loader, spec, ""
    sys.modules[MODULE] = module
    exec(source, module.__dict__)
    return module


def _activate_virtualenv(folder):
    if not os.path.isdir(folder):
        return
    for script in (os.path.join(folder, "bin", "activate_this.py"), os.path.join(folder, "Scripts", "activate_this.py")):
        if os.path.isfile(script):
            with open(script, encoding="utf-8") as file:
                code = compile(file.read(), script, "exec", dont_inherit=True)
            exec(code, {"__file__": script, "__name__": "__main__"})
            return
    packages = _site_packages(folder)
    if packages is None:
        raise LoadError("Invalid virtualenv. Zip file does not include 'activate_this.py'.")
    import site

    at = len(sys.path)
    site.addsitedir(packages)
    sys.path[1:1], sys.path[at:] = sys.path[at:], []
    sys.prefix = folder


def _site_packages(folder):
    lib = os.path.join(folder, "lib")
    here = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    names = sorted(os.listdir(lib)) if os.path.isdir(lib) else []
    # Packages for this very version first; pure Python ones of another version work as well.
    for name in sorted(names, key=lambda name: name != here):
        packages = os.path.join(lib, name, "site-packages")
        if name.startswith("python") and os.path.isdir(packages):
            return packages
    return None


def _function(module, main):
    """`main` is a function's name, a dotted path to one, or `module.function` of another module of the archive."""
    value = module
    first, *rest = main.split(".")
    if rest and not hasattr(module, first):
        value = importlib.import_module(first)
    else:
        rest = [first, *rest]
    for name in rest:
        if not hasattr(value, name):
            raise ImportError(f"cannot import name '{main}' from '{MODULE}' ({module.__file__})")
        value = getattr(value, name)
    if not callable(value):
        raise LoadError(f"'{main}' is not a function")
    return value
