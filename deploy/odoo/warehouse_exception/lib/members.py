"""Taking members out of a JSON object, with errors that name the member by its path."""

_KIND_NAMES = {str: "text", int: "a whole number", dict: "an object", list: "an array"}

MAX_INTEGER = 2**53 - 1  # RFC 7493, 2.2


def storable(text):
    """PostgreSQL's text has no NUL. What was really sent stays readable in the signed bytes."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


class MemberError(ValueError):
    """A member is missing or is not what it should be."""


class Members:
    def __init__(self, values, above=None, name=""):
        self._values = values
        self._above, self._name = above, name

    def path(self, name):
        """Put together for an error only."""
        return self._above.path(f"{self._name}.{name}") if self._above else name

    def has(self, name):
        return self._values.get(name) is not None

    def _get(self, name, kind, optional):
        # null says the same as absent: some libraries can't leave a member out.
        value = self._values.get(name)
        if value is None:
            if optional:
                return None
            raise MemberError(f"{self.path(name)} is missing")
        if type(value) is not kind:  # not isinstance: true would pass for a whole number
            raise MemberError(f"{self.path(name)} must be {_KIND_NAMES[kind]}")
        return value

    def text(self, name, pattern=None, optional=False):
        value = self._values.get(name)
        if type(value) is not str:
            return self._get(name, str, optional)  # absent, or why not
        if pattern and not pattern.fullmatch(value):
            raise MemberError(f"{self.path(name)} is malformed")
        return storable(value) if "\0" in value else value

    def constant(self, name, wanted):
        if self.text(name) != wanted:
            raise MemberError(f"{self.path(name)} must be {wanted}")

    def integer(self, name, least=-MAX_INTEGER, optional=False):
        """A whole number from `least` to the largest that every JSON reader gets right."""
        value = self._get(name, int, optional)
        if value is not None and not least <= value <= MAX_INTEGER:
            raise MemberError(f"{self.path(name)} must be {least} to {MAX_INTEGER}")
        return value

    def child(self, name, optional=False):
        """The object `name`; an absent optional one is as good as an empty one."""
        return Members(self._get(name, dict, optional) or {}, self, name)

    def _array(self, name, optional=False):
        return self._get(name, list, optional) or []

    def children(self, name, limit, optional=False):
        values = self._array(name, optional)
        if len(values) > limit:
            raise MemberError(f"{self.path(name)} has more than {limit} elements")
        for number, value in enumerate(values):
            if not isinstance(value, dict):
                raise MemberError(f"{self.path(name)}[{number}] must be an object")
        return [Members(value, self, f"{name}[{number}]") for number, value in enumerate(values)]

    def texts(self, name, optional=False):
        values = self._array(name, optional)
        if not all(isinstance(value, str) for value in values):
            raise MemberError(f"{self.path(name)} must hold text only")
        return [storable(value) for value in values]
