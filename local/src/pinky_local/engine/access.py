"""Who may do what: role inheritance, active roles of a session, privileges held.

Rests on https://docs.snowflake.com/en/user-guide/security-access-control-overview (hierarchy, secondary roles, PUBLIC)
and security-access-control-privileges. Account level privileges are grants on the number 0.
"""

from __future__ import annotations

from pinky_local.engine.catalog import Catalog, CatalogObject
from pinky_local.types import SessionContext

ACCOUNT = 0
OWNERSHIP = "OWNERSHIP"
SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "USERADMIN", "SYSADMIN", "PUBLIC")

_LISTED_TO_ALL = frozenset({"role", "user"})
"""Types whose names every role may list and refer to (a guess: no page says it, accounts behave so)."""


class Access:
    """Privilege questions over a catalog. Answers are cached until the catalog's version rises."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._version = -1
        self._closures: dict[int, frozenset[int]] = {}
        self._active: dict[tuple[str, str | None, str], frozenset[int]] = {}

    def _refresh(self) -> None:
        if self._version != self.catalog.version:
            self._version = self.catalog.version
            self._closures.clear()
            self._active.clear()

    def closure(self, role: int) -> frozenset[int]:
        """A role and every role it inherits."""
        self._refresh()
        known = self._closures.get(role)
        if known is None:
            seen, waiting = {role}, [role]
            while waiting:
                for inherited in self.catalog.memberships.get(waiting.pop(), {}):
                    if inherited not in seen:
                        seen.add(inherited)
                        waiting.append(inherited)
            known = self._closures[role] = frozenset(seen)
        return known

    def role_named(self, name: str | None) -> CatalogObject | None:
        """The account role of this name."""
        return self.catalog.get(ACCOUNT, "role", name) if name else None

    def primary(self, session: SessionContext) -> frozenset[int]:
        """The roles that the session's primary role gives, PUBLIC included."""
        return self._roles_of(session.user, session.role, "NONE")

    def active(self, session: SessionContext) -> frozenset[int]:
        """The roles in force: the primary role's and, with secondary roles, those of all roles of the user.

        With all secondary roles the user is among them: privileges granted to a user count only then.
        """
        return self._roles_of(session.user, session.role, session.secondary_roles)

    def _roles_of(self, user: str, role: str | None, secondary: str) -> frozenset[int]:
        self._refresh()
        key = (user, role, secondary)
        known = self._active.get(key)
        if known is not None:
            return known
        roots = [self.role_named(role), self.role_named("PUBLIC")]
        if secondary == "ALL":
            roots += self.granted_to_user(user)
        elif secondary != "NONE":
            roots += [self.role_named(name) for name in secondary.split(",")]
        result: frozenset[int] = frozenset()
        for root in roots:
            if root is not None:
                result |= self.closure(root.number)
        holder = self.catalog.get(ACCOUNT, "user", user) if secondary == "ALL" else None
        if holder is not None:
            result |= {holder.number}
        self._active[key] = result
        return result

    def granted_to_user(self, user: str) -> list[CatalogObject | None]:
        """The roles granted directly to a user."""
        holder = self.catalog.get(ACCOUNT, "user", user)
        if holder is None:
            return []
        return [self.catalog.objects.get(role) for role in self.catalog.memberships.get(holder.number, {})]

    def available(self, user: str) -> list[str]:
        """The names of all account roles a user may take, inherited ones and PUBLIC included."""
        found: set[int] = set()
        for root in [*self.granted_to_user(user), self.role_named("PUBLIC")]:
            if root is not None:
                found |= self.closure(root.number)
        roles = [self.catalog.objects[number] for number in found]
        return sorted(role.name for role in roles if role.kind == "role")

    def holds(self, roles: frozenset[int], item: CatalogObject, privilege: str) -> bool:
        """Whether these roles own the object or hold the privilege on it."""
        if item.owner in roles:
            return True
        return self._granted(roles, item.number, privilege)

    def holds_account(self, roles: frozenset[int], privilege: str) -> bool:
        """Whether these roles hold an account level privilege such as MANAGE GRANTS."""
        return self._granted(roles, ACCOUNT, privilege)

    def _granted(self, roles: frozenset[int], number: int, privilege: str) -> bool:
        held = self.catalog.grants_on.get(number)
        if not held:
            return False
        return any((privilege, role) in held for role in roles)

    def sees(self, roles: frozenset[int], item: CatalogObject) -> bool:
        """Whether any privilege, or MANAGE GRANTS, makes the object visible."""
        return self.touches(roles, item) or self.holds_account(roles, "MANAGE GRANTS")

    def touches(self, roles: frozenset[int], item: CatalogObject) -> bool:
        """Whether these roles hold at least one privilege on the object itself."""
        if item.owner in roles or item.kind in _LISTED_TO_ALL or item.number in roles:
            return True
        if any(role in roles for _, role in self.catalog.grants_on.get(item.number, ())):
            return True
        return item.kind == "database_role" and self._database_visible(roles, item)

    def _database_visible(self, roles: frozenset[int], item: CatalogObject) -> bool:
        database = self.catalog.database_of(item)
        return database is not None and self.touches(roles, database)
