"""Tables: their schemas, the port services use them through, and Delta behind it."""

from windrow.lake.delta import DeltaLake
from windrow.lake.tables import Lake, Place, SchemaConflict, Table

__all__ = ["DeltaLake", "Lake", "Place", "SchemaConflict", "Table"]
