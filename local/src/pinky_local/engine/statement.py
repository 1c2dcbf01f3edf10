"""One statement on its way: its tokens, its session, and how it finds and checks what it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pinky_local.engine import errors, identifiers
from pinky_local.engine.access import ACCOUNT
from pinky_local.engine.catalog import Catalog, CatalogObject
from pinky_local.engine.spec import ObjectType
from pinky_local.engine.specs import TYPES
from pinky_local.engine.tokens import TokenStream
from pinky_local.types import Bind, Result, ResultColumn, SessionContext, SqlError

if TYPE_CHECKING:
    from pinky_local.engine.account import Account


class Statement:
    """What a handler gets. ``deferred_checks`` run after parsing: a syntax error comes before a missing object."""

    def __init__(
        self, account: Account, session: SessionContext, sql: str, binds: Sequence[Bind], query_id: str
    ) -> None:
        self.account = account
        self.catalog: Catalog = account.catalog
        self.access = account.access
        self.session = session
        self.tokens = TokenStream(sql)
        self.binds = binds
        self.query_id = query_id
        self.now: datetime = account.now()
        self.deferred_checks: list[Callable[[], object]] = []
        self.row_counts: dict[int, int] = {}
        self._next_bind = 0

    @property
    def roles(self) -> frozenset[int]:
        """The session's roles in force."""
        return self.access.active(self.session)

    def finish_parsing(self) -> None:
        """Demand the end of the text, then run the checks that parsing put off."""
        self.tokens.end()
        for check in self.deferred_checks:
            check()

    def text_value(self) -> str:
        """A string constant or a bound value."""
        if self.tokens.accept_symbol("?"):
            if self._next_bind >= len(self.binds):
                raise errors.compilation(2049, "42601", "Bind variable not set.")
            value = self.binds[self._next_bind].value
            self._next_bind += 1
            if not isinstance(value, str):
                raise errors.invalid_value(str(value), "bind")
            return value
        return self.tokens.string()

    # names ---------------------------------------------------------------------------------------------------------

    def qualified(self, kind: str, parts: tuple[str, ...], action: str = "") -> tuple[str, ...]:
        """The full canonical name, completed from the session. Raises 090105 or 090106."""
        wanted = {"account": 1, "database": 2, "schema": 3}[TYPES[kind].container]
        if len(parts) > wanted:
            raise errors.compilation(1009, "22023", f"invalid identifier '{identifiers.dotted(parts)}'")
        action = action or f"operation on {TYPES[kind].words}"
        if len(parts) == wanted:
            return parts
        if self.session.database is None:
            raise errors.no_database(action)
        if wanted - len(parts) == 2:
            return self._in_schema(parts, action)
        return (self.session.database, *parts)

    def _in_schema(self, parts: tuple[str, ...], action: str) -> tuple[str, ...]:
        if self.session.schema is None:
            raise errors.no_schema(action)
        return (str(self.session.database), self.session.schema, *parts)

    def container(self, kind: str, full: tuple[str, ...]) -> int:
        """The number of the container a full name points into. Raises 2003 naming the part that is not visible."""
        number = ACCOUNT
        for depth, part in enumerate(full[:-1]):
            step = "schema" if depth else "database"
            item = self.catalog.get(number, step, part)
            if item is None or not self.access.sees(self.roles, item):
                raise errors.not_found(step.capitalize(), identifiers.dotted(full[: depth + 1]))
            number = item.number
        return number

    def lookup(self, kind: str, parts: tuple[str, ...], signature: str = "") -> CatalogObject | None:
        """The object of this type, or None where its container has none of that name."""
        full = self.qualified(kind, parts)
        parent = self.container(kind, full)
        item = self.catalog.get(parent, TYPES[kind].name_space, full[-1] + signature)
        if item is None or item.kind != kind or item.hidden_from(self.session.session_id):
            return None
        return item

    def find(self, kind: str, parts: tuple[str, ...], signature: str = "") -> CatalogObject:
        """The visible object of this type. Raises 2003."""
        full = self.qualified(kind, parts)
        item = self.lookup(kind, full, signature)
        if item is None or not self.access.sees(self.roles, item):
            raise errors.not_found(TYPES[kind].label, identifiers.dotted(parts) + signature)
        return item

    def existing(
        self, kind: str, parts: tuple[str, ...], *, if_exists: bool, signature: str = ""
    ) -> CatalogObject | None:
        """`find`, but None instead of 2003 when the statement says IF EXISTS."""
        try:
            return self.find(kind, parts, signature)
        except SqlError as error:
            if if_exists and error.errno == 2003:
                return None
            raise

    # privileges ----------------------------------------------------------------------------------------------------

    def require(self, item: CatalogObject, *privileges: str) -> None:
        """Raise 3001 unless the roles own the object or hold one of the privileges on it."""
        if item.owner in self.roles:
            return
        if not any(self.access.holds(self.roles, item, privilege) for privilege in privileges):
            raise errors.insufficient(TYPES[item.kind].words, item.name)

    def require_account(self, privilege: str) -> None:
        """Raise 3001 unless the roles hold an account level privilege."""
        if not self.access.holds_account(self.roles, privilege):
            raise errors.insufficient("account", self.account.name)

    def require_create(self, spec: ObjectType, parent: int) -> None:
        """Raise unless the primary role may create this type there; secondary roles do not count for CREATE."""
        roles = self.access.primary(self.session)
        privilege = spec.create_privilege or f"CREATE {spec.words}"
        if parent == ACCOUNT:
            if not self.access.holds_account(roles, privilege):
                raise errors.insufficient("account", self.account.name)
            return
        container = self.catalog.objects[parent]
        if not self.access.holds(roles, container, privilege):
            raise errors.insufficient(container.kind, container.name)

    def primary_role(self) -> CatalogObject:
        """The role that will own what the statement creates."""
        role = self.access.role_named(self.session.role)
        if role is None:
            raise errors.access_control(3013, "The session has no current role.")
        return role

    def spec(self, item: CatalogObject) -> ObjectType:
        """The declaration of an object's type."""
        return TYPES[item.kind]


def status(message: str, statement_type: int = 0x6000) -> Result:
    """The one-row answer of a statement that returns no rows of its own."""
    return Result([ResultColumn("status", "text", length=16_777_216)], [[message]], statement_type)


def rows(columns: Sequence[ResultColumn], values: Sequence[Sequence[Any]], statement_type: int) -> Result:
    """An answer with rows."""
    return Result(list(columns), list(values), statement_type)
