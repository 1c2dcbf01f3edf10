"""Files of stages: where they lie on this machine, how they are listed, and how clients send and fetch them."""

from __future__ import annotations

from pinky_local.files.places import Buckets, UnmappedUrlError, bucket_option
from pinky_local.files.store import FileStore, FolderPlace, StagedFile

__all__ = ["Buckets", "FileStore", "FolderPlace", "StagedFile", "UnmappedUrlError", "bucket_option"]
