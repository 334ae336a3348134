"""The algebra: specs, wiring, shapes, costs, receptive fields, plans; no third-party import."""

from netwright.core.choice import Choice
from netwright.core.cost import CONVENTION, Cost
from netwright.core.field import POINT, WHOLE, Axis, Field, Taps
from netwright.core.graph import Frozen, Graph, Node, Shared, Tap, TimeDistributed
from netwright.core.interpret import Interpreter
from netwright.core.join import Add, Cat, Mul
from netwright.core.net import Net
from netwright.core.plan import Plan, Row
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Concat, Fork, Gate, Parallel, Sequential, Sum, Wiring

__all__ = [
    "CONVENTION",
    "POINT",
    "WHOLE",
    "Add",
    "Axis",
    "Block",
    "Cat",
    "Choice",
    "Concat",
    "Cost",
    "Field",
    "Fork",
    "Frozen",
    "Gate",
    "Graph",
    "Interpreter",
    "Mul",
    "Net",
    "Node",
    "Parallel",
    "Plan",
    "Row",
    "Sequential",
    "Shared",
    "Spec",
    "Sum",
    "Tap",
    "Taps",
    "TimeDistributed",
    "Unit",
    "Wiring",
]
