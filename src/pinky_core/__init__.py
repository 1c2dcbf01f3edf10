"""The engine of pinky: declarative deployment of Snowflake objects. It knows no resource type; plugins bring them.

The names below are the public surface, for plugins and programs; everything else may change without notice.
"""

from __future__ import annotations

from pinky_core.address import Address, Identifier, parse_path, sql_path
from pinky_core.apply import Event, Outcome, Report
from pinky_core.change import Action, Change, Guard, Risk, field_digests, plain
from pinky_core.connection import ConnectionSession, as_session
from pinky_core.datatype import DataType
from pinky_core.diagnostics import Diagnostic, Location, Severity, nearest
from pinky_core.diff import FieldChange, ListDiff, changed_fields, keyed_diff
from pinky_core.engine import Desired, Provider, validate_manifest
from pinky_core.errors import (
    BlockedPlanError,
    BoundaryError,
    DiagnosticsError,
    NotVisibleError,
    PinkyError,
    PluginError,
    SecretError,
    SessionError,
    StalePlanError,
    StatementError,
    TransportError,
)
from pinky_core.hookspecs import hookimpl, hookspec
from pinky_core.json_schema import document_schema, manifest_schema
from pinky_core.manifest import FolderSource, ManifestSource
from pinky_core.plan import Plan
from pinky_core.plan_json import plan_from_json, plan_to_json
from pinky_core.plugins import Registry, load_plugins, make_registry
from pinky_core.read import Reader, Wanted, read_value
from pinky_core.resource import Context, Declared, Names, Place, Resource, named_in, set_and_unset
from pinky_core.secret import SecretReference, SecretResolver
from pinky_core.section import Expanded, Section, SectionContext, SectionError, SectionWord
from pinky_core.session import RetryPolicy, Rows, Session
from pinky_core.shared_values import (
    IcebergMergeOnRead,
    LogLevel,
    MetricLevel,
    QualifiedName,
    QuotedKeyword,
    SerializationPolicy,
    TraceLevel,
    YesNo,
)
from pinky_core.snowpark import SnowparkSession
from pinky_core.spec import ABSENT, Nested, OnChange, Source, Spec, is_given, nested, prop, resource, resource_base
from pinky_core.sql import Statement, alter_set, alter_unset, assignment, literal, statement, string_literal
from pinky_core.values import Duration, Keyword, Schedule, SqlText, Token, tokenize

__all__ = [
    "ABSENT",
    "Action",
    "Address",
    "BlockedPlanError",
    "BoundaryError",
    "Change",
    "ConnectionSession",
    "Context",
    "DataType",
    "Declared",
    "Desired",
    "Diagnostic",
    "DiagnosticsError",
    "Duration",
    "Event",
    "Expanded",
    "FieldChange",
    "FolderSource",
    "Guard",
    "IcebergMergeOnRead",
    "Identifier",
    "Keyword",
    "ListDiff",
    "Location",
    "LogLevel",
    "ManifestSource",
    "MetricLevel",
    "Names",
    "Nested",
    "NotVisibleError",
    "OnChange",
    "Outcome",
    "PinkyError",
    "Place",
    "Plan",
    "PluginError",
    "Provider",
    "QualifiedName",
    "QuotedKeyword",
    "Reader",
    "Registry",
    "Report",
    "Resource",
    "RetryPolicy",
    "Risk",
    "Rows",
    "Schedule",
    "SecretError",
    "SecretReference",
    "SecretResolver",
    "Section",
    "SectionContext",
    "SectionError",
    "SectionWord",
    "SerializationPolicy",
    "Session",
    "SessionError",
    "Severity",
    "SnowparkSession",
    "Source",
    "Spec",
    "SqlText",
    "StalePlanError",
    "Statement",
    "StatementError",
    "Token",
    "TraceLevel",
    "TransportError",
    "Wanted",
    "YesNo",
    "alter_set",
    "alter_unset",
    "as_session",
    "assignment",
    "changed_fields",
    "document_schema",
    "field_digests",
    "hookimpl",
    "hookspec",
    "is_given",
    "keyed_diff",
    "literal",
    "load_plugins",
    "make_registry",
    "manifest_schema",
    "named_in",
    "nearest",
    "nested",
    "parse_path",
    "plain",
    "plan_from_json",
    "plan_to_json",
    "prop",
    "read_value",
    "resource",
    "resource_base",
    "set_and_unset",
    "sql_path",
    "statement",
    "string_literal",
    "tokenize",
    "validate_manifest",
]
