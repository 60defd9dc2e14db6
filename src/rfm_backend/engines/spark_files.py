"""Files that this process and Spark's executors share, near or far.

In:  a folder, as a path or as an address that Hadoop knows (s3a://, hdfs://, gs://).
Out: addresses for Spark; local paths for this process.

What always holds: what is made here stands in a folder of its own, which `remove` takes away.
"""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfm_backend.engines.spark_session import first_line
from rfm_backend.engines.spark_sources import described
from rfm_backend.errors import OutputFailed
from rfm_backend.text_table import is_far

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS_SHOWN = 1000


@contextmanager
def far_failures(address: str) -> Iterator[None]:
    """Say in words what Hadoop or Spark says of an address that cannot be written to.

    Raises
    ------
    OutputFailed
        No such file system, no permission, no credentials.
    """
    # Imported here: it is an extra, and takes a second.
    from py4j.protocol import Py4JError  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise OutputFailed(
            f"{address} could not be written: {first_line(error)}. Are the address, its jars and its "
            "credentials right?",
            path=address,
        ) from error


class SharedFolder:
    """A new folder under `root`, removed at the end.

    Parameters
    ----------
    root : str
        A path or an address; each executor must reach it under the same name.
    """

    def __init__(self, session: "SparkSession", root: str) -> None:
        self._session = session
        base = root if is_far(root) else f"file://{Path(root.removeprefix('file://')).resolve()}"
        self._place = f"{base.rstrip('/')}/rfm-{uuid.uuid4().hex}"
        self.is_here = not is_far(root)

    def new(self, name: str) -> str:
        """Return the address of something that is to be written."""
        return f"{self._place}/{name}"

    def publish(self, path: Path) -> str:
        """Return the address of a file of this process, copied where executors reach it."""
        target = self.new(path.name)
        self._files(target).copyFromLocalFile(
            self._hadoop_path(str(path)), self._hadoop_path(target)
        )
        return target

    def replace(self, path: Path, address: str, *, folder: str) -> None:
        """Copy a file of this process to an address, after what stands at `folder` is deleted."""
        files = self._files(address)
        files.delete(self._hadoop_path(folder), True)  # noqa: FBT003
        files.copyFromLocalFile(self._hadoop_path(f"file://{path}"), self._hadoop_path(address))

    def is_taken(self, address: str) -> bool:
        """Tell whether something stands at an address."""
        return bool(self._files(address).exists(self._hadoop_path(address)))

    def fetch(self, location: str, folder: Path) -> Path:
        """Return a local path of a file or folder, copied into `folder` where it is far."""
        if not is_far(location):
            return Path(location.removeprefix("file://"))
        target = folder / uuid.uuid4().hex
        self._files(location).copyToLocalFile(
            self._hadoop_path(location), self._hadoop_path(f"file://{target}")
        )
        return target

    def listed(self, location: str) -> list[tuple[str, int]]:
        """Return (address, bytes) of the files at a location, by name; none where there is nothing."""
        place = (
            location
            if is_far(location)
            else f"file://{Path(location.removeprefix('file://')).resolve()}"
        )
        found = self._files(place).globStatus(self._hadoop_path(place))
        files = []
        for status in found or ():
            inside = (
                self._files(place).listStatus(status.getPath())
                if status.isDirectory()
                else [status]
            )
            files += [(one.getPath().toString(), one.getLen()) for one in inside if one.isFile()]
        # Spark leaves these out as well: they are what a job leaves beside its files.
        return sorted(
            (at, size) for at, size in files if not at.rsplit("/", 1)[1].startswith(("_", "."))
        )

    def head(self, address: str, n_bytes: int) -> bytes:
        """Return the beginning of a file."""
        stream = self._files(address).open(self._hadoop_path(address))
        try:
            return bytes(stream.readNBytes(n_bytes))
        finally:
            stream.close()

    def describe_parquet(
        self, location: str
    ) -> tuple[tuple[str, ...], Sequence[Sequence[str | None]]]:
        """Return the columns and the first rows of Parquet, as text."""
        return described(self._session, location, n_rows=_ROWS_SHOWN)

    def remove(self) -> None:
        """Delete the folder and all in it."""
        if self.is_here:
            shutil.rmtree(self._place.removeprefix("file://"), ignore_errors=True)
        else:
            self._files(self._place).delete(self._hadoop_path(self._place), True)  # noqa: FBT003

    def _hadoop_path(self, location: str) -> Any:  # noqa: ANN401  # an object of the JVM
        return self._session._jvm.org.apache.hadoop.fs.Path(location)  # type: ignore[union-attr]  # noqa: SLF001

    def _files(self, location: str) -> Any:  # noqa: ANN401
        configuration = self._session._jsc.hadoopConfiguration()  # noqa: SLF001
        return self._hadoop_path(location).getFileSystem(configuration)
