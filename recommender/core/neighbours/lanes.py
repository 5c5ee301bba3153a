"""64 numbers as one numba value: LLVM keeps them in registers, split as the processor needs.

One lane for each of 64 profiles. The operations are generic LLVM vector code that names no
instruction set, so they become AVX-512, AVX2, SSE or NEON alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

WIDTH = 64  #: lanes; a row of bytes is one cache line and one AVX-512 register
SHIFT = 6  #: log2 of WIDTH
NUMBERS = {"u8": ir.IntType(8), "u16": ir.IntType(16), "u32": ir.IntType(32)}

Generated = tuple[Any, Callable[..., Any]]


class Lanes(types.Type):
    """Numba's name for 64 unsigned numbers of one size."""

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(name=f"Lanes({number})")


@register_model(Lanes)
class _Registers(models.PrimitiveModel):
    def __init__(self, dmm: Any, lanes: Lanes) -> None:
        super().__init__(dmm, lanes, ir.VectorType(NUMBERS[lanes.number], WIDTH))


U8, U16, U32 = (Lanes(number) for number in NUMBERS)


@intrinsic
def zero_u16(context: Any) -> Generated:
    """Lanes of zeros (u16)."""
    return U16(), lambda context, builder, signature, args: ir.Constant(_vector("u16"), None)


@intrinsic
def zero_u32(context: Any) -> Generated:
    """Lanes of zeros (u32)."""
    return U32(), lambda context, builder, signature, args: ir.Constant(_vector("u32"), None)


@intrinsic
def load(context: Any, panel: Any, row: Any) -> Generated:
    """Row ``row`` of a panel: (n, WIDTH) uint8 that starts on a 64-byte boundary."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = args[1]
        if row.type.width < 64:
            row = builder.zext(row, ir.IntType(64))
        offset = builder.shl(row, ir.Constant(row.type, SHIFT))
        place = _place(context, builder, signature.args[0], args[0], offset)
        return builder.load(builder.bitcast(place, _vector("u8").as_pointer()), align=64)

    return U8(panel, row), generate


@intrinsic
def add(context: Any, a: Any, b: Any) -> Generated:
    """Lane by lane ``a + b``; the sums must fit."""
    return a(a, b), lambda context, builder, signature, args: builder.add(*args)


@intrinsic
def add_times(context: Any, total: Any, part: Any, factor: Any) -> Generated:
    """``total`` (u16) + ``part`` (u8) * ``factor`` (one uint8 for all lanes)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        part = builder.zext(args[1], _vector("u16"))
        factor = _everywhere(builder, builder.zext(args[2], NUMBERS["u16"]))
        return builder.add(args[0], builder.mul(part, factor))

    return U16(total, part, factor), generate


@intrinsic
def add_wide(context: Any, total: Any, part: Any) -> Generated:
    """``total`` (u32) + ``part`` (u16)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.add(args[0], builder.zext(args[1], _vector("u32")))

    return U32(total, part), generate


@intrinsic
def at_least(context: Any, total: Any, scale: Any, bounds: Any) -> Generated:
    """A uint64 with bit l set where ``total[l] * scale >= bounds[l]``, in float32.

    ``scale`` is one float32, ``bounds`` (WIDTH,) float32.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        floats = ir.VectorType(ir.FloatType(), WIDTH)
        scaled = builder.fmul(builder.uitofp(args[0], floats), _everywhere(builder, args[1]))
        start = ir.Constant(ir.IntType(64), 0)
        place = _place(context, builder, signature.args[2], args[2], start)
        wanted = builder.load(builder.bitcast(place, floats.as_pointer()), align=4)
        hits = builder.fcmp_ordered(">=", scaled, wanted)
        return builder.bitcast(hits, ir.IntType(WIDTH))

    return types.uint64(total, scale, bounds), generate


@intrinsic
def lowest_bit(context: Any, bits: Any) -> Generated:
    """The position of the lowest bit set; ``bits`` is not zero."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def store(context: Any, out: Any, row: Any, total: Any) -> Generated:
    """Write lanes (u32) into row ``row`` of an (n, WIDTH) int32 array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        offset = builder.shl(args[1], ir.Constant(args[1].type, SHIFT))
        place = _place(context, builder, signature.args[0], args[0], offset)
        builder.store(args[2], builder.bitcast(place, _vector("u32").as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(out, types.int64, total), generate


@intrinsic
def transpose_16(
    context: Any, source: Any, row: Any, lane: Any, target: Any, column: Any
) -> Generated:
    """``target[lane + j, column + i] = source[row + i, lane + j]`` for i, j < 16, in registers.

    Both are C-contiguous int32; ``source`` is (n, WIDTH). Four rounds of exchanges between rows,
    each of which halves the distance, put every number in its place.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i64, line = ir.IntType(64), ir.VectorType(ir.IntType(32), 16)
        source, row, lane, target, column = args

        def place(which: int, array: Any, line_number: Any, width: Any, shift: Any) -> Any:
            offset = builder.add(builder.mul(line_number, width), shift)
            pointer = _place(context, builder, signature.args[which], array, offset)
            return builder.bitcast(pointer, line.as_pointer())

        width = ir.Constant(i64, WIDTH)
        lines = [
            builder.load(
                place(0, source, builder.add(row, ir.Constant(i64, i)), width, lane), align=4
            )
            for i in range(16)
        ]
        for distance in (8, 4, 2, 1):
            for i in (i for i in range(16) if not i & distance):
                pair = lines[i], lines[i + distance]
                for upper in (0, distance):
                    # own numbers stay, the others come from the partner's lanes across
                    mask = [
                        j + upper if not j & distance else 16 + j + upper - distance
                        for j in range(16)
                    ]
                    order = ir.Constant(ir.VectorType(ir.IntType(32), 16), mask)
                    lines[i + upper] = builder.shuffle_vector(*pair, order)
        shape = context.make_array(signature.args[3])(context, builder, target).shape
        width = builder.extract_value(shape, 1)
        for j in range(16):
            number = builder.add(lane, ir.Constant(i64, j))
            builder.store(lines[j], place(3, target, number, width, column), align=4)
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64), generate


def _vector(number: str) -> Any:
    return ir.VectorType(NUMBERS[number], WIDTH)


def _everywhere(builder: Any, value: Any) -> Any:
    """One value in all lanes."""
    nothing = ir.Constant(ir.VectorType(value.type, WIDTH), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None)
    )


def _place(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    """Pointer to ``array.ravel()[offset]``."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])
