import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def state():
    """A state folder that the account of the servers can reach; pytest's own folders are closed to everybody else."""
    folder = Path(tempfile.mkdtemp(prefix="state", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
