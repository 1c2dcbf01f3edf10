"""Secrets of all types. Their values are write-only: a manifest holds references, Snowflake never tells them back.

https://docs.snowflake.com/en/sql-reference/sql/create-secret,
https://docs.snowflake.com/en/sql-reference/sql/alter-secret,
https://docs.snowflake.com/en/sql-reference/sql/show-secrets
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from pinky_core import (
    ABSENT,
    Address,
    Context,
    Diagnostic,
    FieldChange,
    Identifier,
    Keyword,
    OnChange,
    Resource,
    Rows,
    SecretReference,
    Source,
    Statement,
    assignment,
    is_given,
    prop,
    resource,
    statement,
    string_literal,
)
from pinky_core.versions import check_version, marked, unmarked


class SecretType(Keyword):
    """What a secret is used for."""

    GENERIC_STRING = ("GENERIC_STRING", "GENERIC")  # DESCRIBE SECRET is documented to print the short one
    PASSWORD = ("PASSWORD",)
    OAUTH2 = ("OAUTH2",)
    CLOUD_PROVIDER_TOKEN = ("CLOUD_PROVIDER_TOKEN",)
    SYMMETRIC_KEY = ("SYMMETRIC_KEY",)
    WORKLOAD_IDENTITY_FEDERATION = ("WORKLOAD_IDENTITY_FEDERATION",)


class Algorithm(Keyword):
    """How the key of a SYMMETRIC_KEY is made."""

    GENERIC = ("GENERIC",)


_REQUIRED: Mapping[SecretType, tuple[str, ...]] = {
    SecretType.GENERIC_STRING: ("secret_string",),
    SecretType.PASSWORD: ("username", "password"),
    SecretType.OAUTH2: ("api_authentication",),
    SecretType.CLOUD_PROVIDER_TOKEN: ("api_authentication",),
    SecretType.SYMMETRIC_KEY: ("algorithm",),
}
_ONLY_FOR: Mapping[str, tuple[SecretType, ...]] = {
    "secret_string": (SecretType.GENERIC_STRING,),
    "username": (SecretType.PASSWORD,),
    "password": (SecretType.PASSWORD,),
    "oauth_scopes": (SecretType.OAUTH2,),
    "oauth_refresh_token": (SecretType.OAUTH2,),
    "oauth_refresh_token_expiry_time": (SecretType.OAUTH2,),
    "api_authentication": (SecretType.OAUTH2, SecretType.CLOUD_PROVIDER_TOKEN),
    "enabled": (SecretType.CLOUD_PROVIDER_TOKEN,),
    "algorithm": (SecretType.SYMMETRIC_KEY,),
    # CREATE SECRET has no COMMENT for SYMMETRIC_KEY, and ALTER SECRET has no form for it
    "comment": tuple(each for each in SecretType if each is not SecretType.SYMMETRIC_KEY),
    "version": (SecretType.GENERIC_STRING, SecretType.PASSWORD, SecretType.OAUTH2),
}
_VALUES = ("secret_string", "password", "oauth_refresh_token", "oauth_refresh_token_expiry_time")


@resource("secret", scope="schema")
class Secret(Resource):
    """A value that code in Snowflake may use and nobody may read.

    A changed value cannot be seen, so `version` says that it changed: raise it, and the value is set again. The version
    stands at the end of the secret's comment, as ``[pinky version 3]``; pinky never shows it as part of the comment.
    """

    show_pages = False
    privileges = (("USAGE", "the database and schema"), ("CREATE SECRET", "the schema"), ("OWNERSHIP", "the secret"))

    type: SecretType = prop(
        column="secret_type",
        on_change=OnChange.REFUSE,
        loses="the secret's value and its grants",
        doc="What it is for.",
    )
    secret_string: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, doc="The value of a GENERIC_STRING, as a reference."
    )
    username: str | None = prop(default=None, source=Source.DESCRIBE, unset=False, doc="User of a PASSWORD.")
    password: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, doc="Password of a PASSWORD, as a reference."
    )
    api_authentication: Identifier | None = prop(
        default=None,
        source=Source.DESCRIBE,
        column="integration_name",
        on_change=OnChange.REFUSE,
        loses="the secret's tokens and its grants",
        unset=False,
        doc="Security integration of an OAUTH2 or CLOUD_PROVIDER_TOKEN; alterable for the latter only.",
    )
    oauth_scopes: tuple[str, ...] | None = prop(default=None, unset=False, doc="Scopes of the client credentials flow.")
    oauth_refresh_token: SecretReference | None = prop(
        default=None, source=Source.NOWHERE, doc="Token of the authorization code flow, as a reference."
    )
    oauth_refresh_token_expiry_time: str | None = prop(
        default=None, source=Source.NOWHERE, doc="When that token expires; set again with the version."
    )
    enabled: bool | None = prop(
        default=None, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="Of a CLOUD_PROVIDER_TOKEN; at creation."
    )
    algorithm: Algorithm | None = prop(
        default=None, source=Source.NOWHERE, on_change=OnChange.IGNORE, doc="Of a SYMMETRIC_KEY; at creation."
    )
    comment: str | None = prop(default="", unset=False, doc="Free text.")
    version: int | None = prop(default=None, minimum=1, doc="Raise it when the value behind the reference changed.")

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """What a type needs, and what is another type's."""
        for name in _REQUIRED.get(self.type, ()):
            if not is_given(getattr(self, name)):
                yield "type", f"a secret of type {self.type} needs {name!r}"
        for name, types in _ONLY_FOR.items():
            if is_given(getattr(self, name)) and self.type not in types:
                yield name, f"{name!r} belongs to {' or '.join(types)}, not to {self.type}"
        yield from self._contradictory_flows()
        if is_given(self.comment) and unmarked(self.comment or "")[1] is not None:
            yield "comment", "the comment may not end in [pinky version N]; give `version:`"

    def _contradictory_flows(self) -> Iterable[tuple[str, str]]:
        """OAUTH2 is for client credentials (scopes) or for an authorization code (refresh token and its expiry)."""
        token, expiry = is_given(self.oauth_refresh_token), is_given(self.oauth_refresh_token_expiry_time)
        if token is not expiry:
            name = "oauth_refresh_token" if token else "oauth_refresh_token_expiry_time"
            yield name, "'oauth_refresh_token' and 'oauth_refresh_token_expiry_time' need each other"
        if token and is_given(self.oauth_scopes):
            yield "oauth_scopes", "a secret has 'oauth_scopes' or 'oauth_refresh_token', not both"
        if self.type is SecretType.OAUTH2 and is_given(self.version) and not token:
            yield "version", "'version' says that a value changed; client credentials have none here"

    def changes(self, address: Address, live: Secret, context: Context) -> Sequence[FieldChange]:
        """Another integration is an alteration for CLOUD_PROVIDER_TOKEN, which is the only type ALTER has it for."""
        found = super().changes(address, live, context)
        if self.type is not SecretType.CLOUD_PROVIDER_TOKEN or live.type is not self.type:
            return found
        kept = [each for each in found if each.path != "api_authentication" or each.after is not None]
        return [attrs.evolve(each, on_change=OnChange.ALTER) for each in kept]

    def check(self, address: Address, live: Secret | None, context: Context) -> Iterable[Diagnostic]:
        """A version only goes up: a lower one would look like a change and set nothing new."""
        yield from check_version(address, self.version, live.version if live is not None else None)

    def create(self, address: Address, context: Context) -> Sequence[Statement]:
        """CREATE SECRET with TYPE first and the marked comment last."""
        return [self._create(f"CREATE SECRET {address.sql}")]

    def replace(
        self, address: Address, live: Secret, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """CREATE OR REPLACE, which is atomic: where it fails the old secret is still there."""
        return [self._create(f"CREATE OR REPLACE SECRET {address.sql}")]

    def _create(self, head: str) -> Statement:
        parts: list[Statement | str] = [head]
        for field in self.spec.fields:
            value = getattr(self, field.name)
            if is_given(value) and field.name not in ("comment", "version"):
                parts += [" ", assignment(field, value)]
        text = marked(self.comment or "", self.version or None)
        return statement(*parts, f" COMMENT = {string_literal(text)}" if text else "")

    def alter(
        self, address: Address, live: Secret, changes: Sequence[FieldChange], context: Context
    ) -> Sequence[Statement]:
        """One ALTER SECRET SET; there is no UNSET. A new version sets every value again, with its marker."""
        changed = {change.path for change in changes}
        names = [name for name in self.spec.by_name if name in changed and name not in ("comment", "version")]
        if "version" in changed and self.version is not None:
            names += [name for name in _VALUES if is_given(getattr(self, name))]
        parts: list[Statement | str] = [f"ALTER SECRET {address.sql} SET"]
        for name in names:
            value = getattr(self, name)
            parts += [" ", assignment(self.spec.by_name[name], () if value is None else value)]
        if {"comment", "version"} & changed:
            comment = live.comment if self.comment is ABSENT else self.comment
            version = live.version if self.version is ABSENT else self.version
            parts.append(f" COMMENT = {string_literal(marked(comment or '', version or None))}")
        return [statement(*parts)]

    @classmethod
    def former_address(cls, text: str, address: Address) -> Address:
        """Refused: Snowflake cannot rename a secret."""
        raise ValueError("Snowflake cannot rename a secret: declare the new one, and drop the old one later")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of SHOW SECRETS, with the version taken out of the comment."""
        raw = super().from_row(row)
        comment, version = unmarked(str(row.get("comment") or ""))
        return {**raw, "comment": comment, "version": version}

    @classmethod
    def from_description(cls, rows: Rows) -> dict[str, Any]:
        """DESCRIBE SECRET answers one row, a column for each property."""
        return {
            "username": next((value for (value,) in rows.pick("username")), None),
            "api_authentication": next((value for (value,) in rows.pick("integration_name")), None),
        }
