"""What efficientnet-lite-pytorch calls the weights; `netwright.weights.table` reads it."""

from __future__ import annotations

__all__ = ["TABLES"]

TABLES = {
    "efficientnet_lite": """
        stem.conv             _conv_stem
        stem.norm             _bn0
        stage{i}.{j}.body     _blocks.{n-1}
        .expand.conv          ._expand_conv
        .expand.norm          ._bn0
        .depthwise.conv       ._depthwise_conv
        .depthwise.norm       ._bn1
        .project.conv         ._project_conv
        .project.norm         ._bn2
        last.conv             _conv_head
        last.norm             _bn1
        head.fc               _fc
    """,
}
"""Family, or name of a net -> its table."""
