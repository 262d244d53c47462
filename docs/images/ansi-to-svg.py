#!/usr/bin/env python3
"""Draws what a program writes to a terminal as an SVG; it needs nothing but Python.

    CLICOLOR_FORCE=1 cargo run -- demo --exit | docs/images/ansi-to-svg.py > docs/images/demo.svg

Standard input is text with ANSI colours. Arguments: the first and the last line to draw (all).
"""

import re
import sys
from html import escape

COLUMN, LINE, SIZE, EDGE, BAR = 8.43, 19, 14, 20, 34
COLOURS = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#56d4dd",
}
INDEXED = {"9": "31", "10": "32", "11": "33", "12": "34", "13": "35", "14": "36"}
STYLES = {"1": "font-weight:bold", "2": "fill-opacity:.6"}


def apply(codes, style):
    """The style after a sequence of codes."""
    codes = codes.split(";") if codes else ["0"]
    while codes:
        code = codes.pop(0)
        if code in ("38", "48") and codes[:1] == ["5"]:
            index = codes[1]
            codes = codes[2:]
            colour = INDEXED.get(index, str(30 + int(index)) if int(index) < 8 else "")
            code = colour if code == "38" else ""
        if code == "0":
            style = {}
        elif code in COLOURS:
            style = {**style, "colour": f"fill:{COLOURS[code]}"}
        elif code in STYLES:
            style = {**style, code: STYLES[code]}
        elif code == "22":
            style = {name: value for name, value in style.items() if name not in STYLES}
        elif code == "39":
            style = {name: value for name, value in style.items() if name != "colour"}
    return style


def draw(line, style):
    """The text of a line as spans, and the style that the next one begins with."""
    spans, column = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            style = apply(part[2:-1], style)
        elif part:
            if part.strip():
                css = ";".join(style.values())
                css = f' style="{css}"' if css else ""
                # Each span has its own column, so that columns stay in line with any font.
                x = EDGE + column * COLUMN
                width = len(part) * COLUMN
                spans.append(
                    f'<tspan x="{x:.1f}" textLength="{width:.1f}"{css}>{escape(part)}</tspan>'
                )
            column += len(part)
    return "".join(spans), style


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    first, last = (int(number) for number in (sys.argv[1:3] or (1, len(lines))))
    style, drawn = {}, []
    for number, line in enumerate(lines, 1):
        spans, style = draw(line, style)
        if first <= number <= last:
            drawn.append(spans)
    width, height = 2 * EDGE + 80 * COLUMN, BAR + EDGE + len(drawn) * LINE
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}"')
    print(f'  viewBox="0 0 {width:.0f} {height}" xml:space="preserve">')
    print(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#161b22"/>')
    for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{EDGE + place * 20}" cy="18" r="6" fill="{colour}"/>')
    font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    print(f'<g font-family="{font}" font-size="{SIZE}" fill="#e6edf3">')
    for row, spans in enumerate(drawn):
        if spans:
            print(f'<text y="{BAR + (row + 1) * LINE}">{spans}</text>')
    print("</g></svg>")


main()
