"""Papermill's parameters as `%set` lines: each a value of the same type in Spark, sent beside a statement's text.

Papermill loads this module for the engine that it is registered under, which is papermill's own."""

import math
import re

from papermill.engines import NBClientEngine  # noqa: F401 (the entry point names it)
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

# As `%set` reads them.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LINE = re.compile(r"\s*%set\s+:?([A-Za-z_]\w*)\s+(\S.*?)\s*", re.ASCII)
COMMENT = re.compile(r"\s*--\s*(.*?)\s*")

ESCAPES = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"})

# The most digits that a number without a fraction has in Spark.
DIGITS = 38

# What a value in a cell looks like, by its type in Spark.
TYPES = [
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in [
        (r"null", "NoneType"),
        (r"true|false", "BOOLEAN"),
        (r"[+-]?\d+", "INT"),
        (r"[+-]?(\d+\.\d*|\.\d+)", "DECIMAL"),
        (r"[+-]?(\d+\.?\d*|\.\d+)e[+-]?\d+|double\(.*\)", "DOUBLE"),
        (r"date\s*'.*'", "DATE"),
    ]
]


class SetLines(Translator):
    """Writes parameters as lines of `%set`, and reads such lines."""

    @classmethod
    def translate_none(cls, val):
        return "null"

    @classmethod
    def translate_str(cls, val):
        return f"'{val.translate(ESCAPES)}'"

    @classmethod
    def translate_int(cls, val):
        if abs(val) >= 10**DIGITS:
            raise PapermillException(f"Spark has no number of more than {DIGITS} digits; give it as text")
        return str(val)

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "double('NaN')"
        if math.isinf(val):
            return "double('Infinity')" if val > 0 else "double('-Infinity')"
        # Without an exponent Spark reads a decimal.
        text = repr(float(val))
        return text if "e" in text else f"{text}e0"

    @classmethod
    def translate_list(cls, val):
        return cls.translate_escaped_str(val)

    @classmethod
    def translate_dict(cls, val):
        return cls.translate_escaped_str(val)

    @classmethod
    def translate_escaped_str(cls, str_val):
        """Refuses what no type above is for."""
        raise PapermillException(
            f"`%set` holds a number, text, true, false or null, and no {type(str_val).__name__};"
            " give it as text and take it apart in SQL, as with split or from_json"
        )

    @classmethod
    def comment(cls, cmt_str):
        return "\n".join(f"-- {line}" for line in cmt_str.splitlines())

    @classmethod
    def assign(cls, name, str_val):
        # Papermill takes any text for a name, also one that would end the line.
        if not NAME.fullmatch(name):
            raise PapermillException("its name must be of letters, digits and `_`")
        return f"%set {name} {str_val}"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment)]
        for name, val in parameters.items():
            try:
                lines.append(cls.assign(name, cls.translate(val)))
            except PapermillException as reason:
                raise PapermillException(f"Parameter {name!r}: {reason}") from None
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        """The parameters that a cell sets; a comment on the line above one is its help."""
        found, above = [], ""
        for line in parameters_cell.source.split("\n"):
            comment = COMMENT.fullmatch(line)
            if parameter := LINE.fullmatch(line):
                name, value = parameter.groups()
                known = (of for pattern, of in TYPES if pattern.fullmatch(value))
                found.append(Parameter(name, next(known, "STRING"), value, above))
            above = comment.group(1) if comment else ""
        return found


papermill_translators.register("firesteel", SetLines)
# Kernels of profiles have names of their own; what another package does for its SQL kernel stays.
try:
    papermill_translators.find_translator("firesteel-", "sql")
except PapermillException:
    papermill_translators.register("sql", SetLines)
