"""What pytorchcv calls the weights of each family; `netwright.weights.table` reads it."""

from __future__ import annotations

__all__ = ["TABLES"]

RESNET = """
    norm = bn
    stage{i}.{j}.residual  features.stage{i}.unit{j+1}
    .body.reduce           .body.conv1
    .body.conv             .body.conv2
    .body.restore          .body.conv3
    .body.attention.channels.weights.squeeze.conv  .cbam.ch_gate.mlp.fc1  flat
    .body.attention.channels.weights.expand.conv   .cbam.ch_gate.mlp.fc2  flat
    .body.attention.positions.weights                  .cbam.sp_gate
    .shortcut              .identity_conv
    stem                   features.init_block
    head.fc                output
"""
PRERESNET = """
    norm = bn
    stage{i}.{j}.residual.shortcut  features.stage{i}.unit{j+1}.identity_conv
    stage{i}.{j}.residual.body      features.stage{i}.unit{j+1}
    stage{i}.{j}.body.body          features.stage{i}.unit{j+1}
    stage{i}.{j}.body               features.stage{i}.unit{j+1}
    stage{i}.{j}                    features.stage{i}.unit{j+1}
    .norm                           .body.conv1.bn
    .conv1                          .body.conv1.conv
    .reduce                         .body.conv1.conv
    .conv2                          .body.conv2
    .conv                           .body.conv2
    .restore                        .body.conv3
    .attention.excite.squeeze       .se.conv1
    .attention.excite.expand        .se.conv2
    stem.conv.conv                  features.init_block.conv
    stem.conv.norm                  features.init_block.bn
    stem                            features.init_block
    norm                            features.post_activ.bn
    head.fc                         output
"""
SQUEEZERESNET = """
    fire{i}.body    features.stage{i:,,1,1,1,2,2,2,2,3}.unit{i:,,1,2,3,1,2,3,4,1}
    fire{i}         features.stage{i:,,1,1,1,2,2,2,2,3}.unit{i:,,1,2,3,1,2,3,4,1}
    .expand.conv1   .expand1x1
    .expand.conv3   .expand3x3
    stem            features.init_block
    head.conv.conv  output.final_conv
"""
INCEPTION = {
    "3a": "1.unit1", "3b": "1.unit2", "3c": "2.unit1", "4a": "2.unit2", "4b": "2.unit3",
    "4c": "2.unit4", "4d": "2.unit5", "4e": "3.unit1", "5a": "3.unit2", "5b": "3.unit3",
}  # fmt: skip
"""Blocks of BN-Inception -> stages and units."""

TABLES = {
    "bam": """
        norm = bn
        stage{i}.{j}.residual         features.stage{i}.unit{j+1}.res_unit
        .body.reduce                  .body.conv1
        .body.conv                    .body.conv2
        .body.restore                 .body.conv3
        .shortcut                     .identity_conv
        bam{i}.attended.weights.both  features.stage{i}.unit1.bam
        .channel.squeeze              .ch_att.init_fc.fc
        .channel.norm                 .ch_att.init_fc.bn
        .channel.expand               .ch_att.final_fc
        .position.reduce              .sp_att.init_conv
        .position.conv3               .sp_att.final_conv
        .position                     .sp_att.dil_convs
        stem                          features.init_block
        head.fc                       output
    """,
    "bn_inception": "\n".join(
        f"inception{ours} features.stage{theirs}.branches" for ours, theirs in INCEPTION.items()
    )
    + """
        norm = bn
        .conv1             .branch1
        .once.{k}          .branch2.conv{k+1}
        .twice.{k}         .branch3.conv{k+1}
        .pool.project      .branch4.conv
        .0.{k}             .branch1.conv{k+1}
        .0.reduce          .branch1.conv2
        .1.{k}             .branch2.conv{k+1}
        .1.reduce          .branch2.conv3
        stem.conv1         features.init_block.conv1
        stem.reduce        features.init_block.conv2.conv1
        stem.conv2         features.init_block.conv2.conv2
        head.fc            output
    """,
    "darknet19": """
        norm = bn
        stage{i}.{j}  features.stage{i}.unit{j+1}
        head.conv     output.final_conv
    """,
    "densenet_cifar": """
        norm = bn
        stem                     features.init_block
        block{i}.{j}.new.reduce  features.stage{i}.unit{j+1}.conv1
        block{i}.{j}.new.conv    features.stage{i}.unit{j+1}.conv2
        transition{i}            features.stage{i+1}.trans{i+1}.conv
        norm                     features.post_activ.bn
        head.fc                  output
    """,
    "inception_resnet_v1": """
        norm = bn
        stage1.{j}.residual     features.stage1.unit{j+1}
        stage{i}.{j}.residual   features.stage{i}.unit{j+2}
        .body.branches.0.0      .branches.branch1.conv
        .body.branches.{i}.{k}  .branches.branch{i+1}.conv_list.conv{k+1}
        .body.restore           .conv
        reduction{i}            features.stage{i+1}.unit1.branches
        .{i}.{k}                .branch{i+1}.conv_list.conv{k+1}
        .{i}.{x=reduce}         .branch{i+1}.conv_list.conv{#x+1}
        stem                    features.init_block
        head.hidden             output.fc1
        head.norm               output.bn
        head.fc                 output.fc2
    """,
    "nin_cifar10": """
        mlpconv3.conv3       output.final_conv.conv
        mlpconv{i}.conv{k}   features.stage{i}.unit{k}.conv
    """,
    "preresnet": PRERESNET,
    "pyramidnet": """
        norm = bn
        stage{i}.{j}.body  features.stage{i}.unit{j+1}
        .norm1             .body.conv1.bn
        .conv1             .body.conv1.conv
        .conv{k}           .body.conv{k}
        stem.conv.conv     features.init_block.conv
        stem.conv.norm     features.init_block.bn
        stem               features.init_block
        norm               features.post_activ.bn
        head.fc            output
    """,
    "resnet": RESNET,
    "resnet_cifar": RESNET,
    "shufflenet": """
        norm = bn
        stem.conv                   features.init_block
        stage{i}.{j}.beside.body    features.stage{i-1}.unit{j+1}
        stage{i}.{j}.residual.body  features.stage{i-1}.unit{j+1}
        .reduce.conv                .compress_conv1
        .reduce.norm                .compress_bn1
        .depthwise.conv             .dw_conv2
        .depthwise.norm             .dw_bn2
        .restore.conv               .expand_conv3
        .restore.norm               .expand_bn3
        head.fc                     output
    """,
    "squeezenet1_0_simple_bypass": SQUEEZERESNET,
    "squeezeresnet_v1_0": SQUEEZERESNET,
    "wide_resnet": PRERESNET,
    "zfnet": """
        conv{i}   features.stage{i:,1.unit1,2.unit1,3.unit1,3.unit2,3.unit3}.conv
        head.fc3  output.fc3
        head.{x}  output.{x}.fc
    """,
}
"""Family, or name of a net -> its table."""
