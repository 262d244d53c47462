#!/usr/bin/env python3
"""A second implementation of strict JSON, RFC 8785 and the digest of an item.

Standard library only, and written from the RFC alone. Reads one JSON text a line, base64; answers
a line each: "ok <sha256> <base64 of the canonical text>" or "refused <code>".
"""
import base64
import decimal
import hashlib
import json
import sys


class Refused(Exception):
    pass


def number(text):
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused("number_not_exact")
    with decimal.localcontext() as context:
        context.prec = 2000
        context.Emax, context.Emin = decimal.MAX_EMAX, decimal.MIN_EMIN
        if decimal.Decimal(text) != decimal.Decimal(es6(value)):
            raise Refused("number_not_exact")
    return value


def es6(value):
    """Number::toString of ECMAScript, from Python's shortest digits."""
    if value == 0:
        return "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, digits))
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    digits = stripped
    k, n = len(digits), len(digits) + exponent
    if k <= n <= 21:
        out = digits + "0" * (n - k)
    elif 0 < n <= 21:
        out = digits[:n] + "." + digits[n:]
    elif -6 < n <= 0:
        out = "0." + "0" * -n + digits
    else:
        e = n - 1
        out = digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + ("+" if e > 0 else "-") + str(abs(e))
    return ("-" if sign else "") + out


def members(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refused("duplicate_name")
    return result


def constant(text):
    raise Refused("not_json")


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("lone_surrogate")
    return '"%s"' % "".join(
        ESCAPES.get(c) or ("\\u%04x" % ord(c) if ord(c) < 0x20 else c) for c in text)


def canonical(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return es6(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return "[%s]" % ",".join(map(canonical, value))
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{%s}" % ",".join(string(name) + ":" + canonical(value[name]) for name in names)


def answer(data):
    try:
        value = json.loads(data.decode("utf-8"), parse_float=number, parse_int=number,
                           parse_constant=constant, object_pairs_hook=members)
        text = canonical(value).encode("utf-8")
    except Refused as refused:
        return "refused %s" % refused
    except UnicodeDecodeError:
        return "refused not_utf8"
    except ValueError as error:
        extra = str(error).startswith("Extra data")
        return "refused %s" % ("trailing_data" if extra else "not_json")
    whole = b'{"Body":' + text + b',"References":[]}'
    return "ok %s %s" % (hashlib.sha256(whole).hexdigest(), base64.b64encode(text).decode())


for line in sys.stdin:
    print(answer(base64.b64decode(line)))
