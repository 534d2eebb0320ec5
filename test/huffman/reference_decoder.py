"""The context form of docs/entropy.md, decoded the slow and plain way; shares no code with agent/huffman.

    python3 test/huffman/reference_decoder.py TABLES.json HEIGHTxWIDTH RATE PAYLOAD_HEX [REFERENCE_HEX]

prints the symbols in hexadecimal. Where the coder adds to the activities of what comes later whenever it meets a
distance, this program looks back at each symbol and sums up what it finds.
"""

import json
import sys

NEAR = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)]
AROUND = [(-1, 0), (0, -1), (0, 1), (1, 0)]


class Bits:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        value = 0
        for i in range(count):
            byte = self.data[self.at >> 3]  # IndexError: truncated
            value |= (byte >> (self.at & 7) & 1) << i
            self.at += 1
        return value

    def symbol(self, lengths):
        if len(lengths) == 1:
            return 0
        codes, code = {}, 0
        for length in range(1, 16):
            for symbol, digit in enumerate(lengths):
                if int(digit, 16) == length:
                    codes[length, code] = symbol
                    code += 1
            code <<= 1
        code = 0
        for length in range(1, 16):
            code = code << 1 | self.take(1)
            if (length, code) in codes:
                return codes[length, code]
        raise ValueError("not a code")

    def run(self, bucket):
        if bucket < 8:
            return bucket
        octave, half = 3 + (bucket - 8) // 2, (bucket - 8) % 2
        return (1 << octave) + half * (1 << octave - 1) + self.take(octave - 1)


def fine_class(activity):
    shift = (activity + 4).bit_length() - 3
    return 4 * shift + (activity + 4 >> shift) - 4


def decode(tables, height, width, rate, payload, reference=None):
    model = tables["models" if reference is None else "inter"][rate]
    channels, levels = tables["channels"], tables["levels"]
    bits, value, seen, runs = Bits(payload), {}, {}, {}
    symbols = [0] * (height * width * channels)
    index = lambda c, y, x: (y * width + x) * channels + c

    def sign_run(table, predicted):
        name = ("sign", table)
        if name not in runs:
            runs[name] = [bits.run(bits.symbol(model["signs"][table])), None]
        if runs[name][0] == 0:
            del runs[name]
            return not predicted
        runs[name][0] -= 1
        return predicted

    def distance(stream):
        text = model["streams"][stream]
        if text[0] == "d":
            return bits.symbol(text[1:])
        if stream not in runs:
            token = bits.symbol(text[1:])
            runs[stream] = [bits.run(token // 3), token % 3 + 1]
        if runs[stream][0] > 0:
            runs[stream][0] -= 1
            return 0
        shown = runs.pop(stream)[1]
        return shown if shown < 3 else 3 + bits.symbol(model["tail"])

    for c in model["order"]:
        zero = model["zero"][c]
        predictor = model["predict"][c] if model["predict"] else 0
        near = model["near"][6 * c : 6 * c + 6]
        for y in range(height):
            for x in range(width):
                look = lambda table, ch, dy, dx: table.get((ch, y + dy, x + dx), 0)
                expected, size, negative, biases = 0, 0, False, len(model["bias"]) // channels
                activity, sign_class = model["bias"][biases * c], 0
                if reference is not None:
                    expected = reference[index(c, y, x)] - zero
                    kind = min(2, abs(expected))
                    activity, sign_class, negative = model["bias"][3 * c + kind], model["signClasses"][kind], expected > 0
                elif predictor != 0:
                    taps = [predictor[i : i + 3] for i in range(2, len(predictor), 3)]
                    predicted = predictor[0]
                    for ch, place, weight in taps:
                        predicted += weight * look(value, ch, place // 3 - 1, place % 3 - 1)
                    expected = max(-zero, min(levels - 1 - zero, predicted + 128 >> 8))
                    fraction = predicted - (expected << 8)
                    size, negative = min(128, abs(fraction)), fraction < 0
                    activity += predictor[1] * size >> 4
                    sign_class = model["signClasses"][size >> 4]
                for weight, (dy, dx) in zip(near, NEAR):
                    activity += 4 * weight * look(seen, c, dy, dx)
                sources = model["sources"][c]
                for i in range(0, len(sources), 3):
                    other, centre, around = sources[i : i + 3]
                    activity += 4 * centre * look(seen, other, 0, 0)
                    activity += 4 * around * sum(look(seen, other, dy, dx) for dy, dx in AROUND)
                far = distance(model["classes"][fine_class(activity)])
                result = expected
                if far:
                    above, below = expected + far < levels - zero, expected - far >= -zero
                    if not above and not below:
                        raise ValueError("leaves the alphabet")
                    if above and below:
                        minus = bits.take(1) == 1 if sign_class == 0 else sign_run(sign_class - 1, negative)
                    else:
                        minus = below
                    result = expected - far if minus else expected + far
                value[c, y, x] = result
                seen[c, y, x] = min(7, far)
                symbols[index(c, y, x)] = result + zero
    left = len(payload) * 8 - bits.at
    if left > 7 or bits.take(left) != 0:
        raise ValueError("bits left over")
    return bytes(symbols)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        loaded = json.load(file)
    rows, columns = map(int, sys.argv[2].split("x"))
    against = bytes.fromhex(sys.argv[5]) if len(sys.argv) > 5 else None
    print(decode(loaded, rows, columns, int(sys.argv[3]), bytes.fromhex(sys.argv[4]), against).hex())
