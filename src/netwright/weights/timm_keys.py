"""What timm calls the weights of each family; `netwright.weights.table` reads it."""

from __future__ import annotations

from netwright.weights.torchvision_keys import BLOCKS, DENSENET, INCEPTION_V3, RESNET

__all__ = ["TABLES"]

INVERTED = """
    stem.conv                        conv_stem
    stem.norm                        bn1
    stage1.{j}.body.depthwise.norm   blocks.0.{j}.bn1
    stage1.{j}.body.project.conv     blocks.0.{j}.conv_pw
    stage1.{j}.body.project.norm     blocks.0.{j}.bn2
    stage{i}.{j}.body                blocks.{i-1}.{j}
    .expand.conv                     .conv_pw
    .expand.norm                     .bn1
    .depthwise.conv                  .conv_dw
    .depthwise.norm                  .bn2
    .se.excite.squeeze               .se.conv_reduce
    .se.excite.expand                .se.conv_expand
    .project.conv                    .conv_pwl
    .project.norm                    .bn3
    last.conv                        conv_head
    last.norm                        bn2
    head.fc                          classifier
"""
"""MobileNetV2 and EfficientNet: the first stage does not expand."""
LEGACY_SE = f"""
    stage{{i}}.{{j}}.residual           layer{{i}}.{{j}}{BLOCKS}
    .body.attention.excite.squeeze  .se_module.fc1
    .body.attention.excite.expand   .se_module.fc2
    stem.conv.conv                  layer0.conv1
    stem.conv.norm                  layer0.bn1
    stem.conv{{k}}.conv               layer0.conv{{k}}
    stem.conv{{k}}.norm               layer0.bn{{k}}
    head.fc                         last_linear
"""
"""The SENets with the weights of their authors."""
CELL = """
    .before.conv            .conv_prev_1x1
    .last.conv              .conv_1x1
    .node{k}.{l}.conv{i}.depthwise \
.comb_iter_{k-2}_{l:left,right}.separable_{i}.depthwise_conv2d
    .node{k}.{l}.conv{i}.pointwise.conv \
.comb_iter_{k-2}_{l:left,right}.separable_{i}.pointwise_conv2d
    .node{k}.{l}.conv{i}.pointwise.norm  .comb_iter_{k-2}_{l:left,right}.bn_sep_{i}
    .node{k}.{l}.conv       .comb_iter_{k-2}_{l:left,right}
    norm = bn
    head.fc                 last_linear
"""
"""What is in the cells of NASNets, and behind them."""

TABLES = {
    "convnext": """
        stem.conv                       stem.0
        stem.norm                       stem.1
        stage{i}.{j}.body.scale.weight  stages.{i-1}.blocks.{j}.gamma
        stage{i}.{j}.body.depthwise     stages.{i-1}.blocks.{j}.conv_dw
        stage{i}.{j}.body.norm          stages.{i-1}.blocks.{j}.norm
        stage{i}.{j}.body.expand        stages.{i-1}.blocks.{j}.mlp.fc1  flat
        stage{i}.{j}.body.project       stages.{i-1}.blocks.{j}.mlp.fc2  flat
        down{i}.norm                    stages.{i}.downsample.0
        down{i}.conv                    stages.{i}.downsample.1
        head                            head
    """,
    "darknet53": """
        norm = bn
        stem                              stem.conv1
        stage{i}.down                     stages.{i-1}.conv_down
        stage{i}.blocks.{j}.body.reduce   stages.{i-1}.blocks.{j}.conv1
        stage{i}.blocks.{j}.body.conv     stages.{i-1}.blocks.{j}.conv2
        head                              head
    """,
    "densenet": DENSENET,
    **{f"efficientnet_b{i}": INVERTED for i in range(5)},  # B5's norms divide otherwise
    "efficientnet_lite": INVERTED,
    "ghostnet": """
        conv = 0
        norm = 1
        stem.conv                    conv_stem
        stem.norm                    bn1
        body.{j}  blocks.{j:0.0,1.0,2.0,3.0,4.0,5.0,6.0,6.1,6.2,6.3,6.4,7.0,8.0,8.1,8.2,8.3}
        .body.ghost{k}.primary       .ghost{k}.primary_conv
        .body.ghost{k}.ghosts.cheap  .ghost{k}.cheap_operation
        .body.depthwise.conv         .conv_dw
        .body.depthwise.norm         .bn_dw
        .body.se.excite.squeeze      .se.conv_reduce
        .body.se.excite.expand       .se.conv_expand
        .shortcut.depthwise          .shortcut
        .shortcut.pointwise.conv     .shortcut.2
        .shortcut.pointwise.norm     .shortcut.3
        last.conv                    blocks.9.0.conv
        last.norm                    blocks.9.0.bn1
        head.fc1                     conv_head  1x1
        head.fc2                     classifier
    """,
    "hrnet": f"""
        conv = 0
        norm = 1
        stage1.{{j}}.residual                     layer1.{{j}}
        stage{{i}}.{{j}}.branches.{{k}}.{{l}}.residual  stage{{i}}.{{j}}.branches.{{k}}.{{l}}
        widen.{{j}}.residual                      incre_modules.{{j}}.0{BLOCKS}
        stage{{i}}.{{j}}.exchange.{{k}}.sum.{{l}}.conv  stage{{i}}.{{j}}.fuse_layers.{{k}}.{{l}}
        stage{{i}}.{{j}}.exchange.{{k}}.sum.{{l}}       stage{{i}}.{{j}}.fuse_layers.{{k}}.{{l}}
        transition{{i}}.{{j}}.0                     transition{{i}}.{{j}}
        transition{{i}}.{{j}}.1                     transition{{i}}.{{j+1}}
        stem.conv{{k}}.conv                       conv{{k}}
        stem.conv{{k}}.norm                       bn{{k}}
        down.conv{{i}}                            downsamp_modules.{{i-1}}
        conv                                    final_layer
        head.fc                                 classifier
    """,
    "inception_resnet_v2": """
        norm = bn
        stem.conv1                  conv2d_1a
        stem.conv2                  conv2d_2a
        stem.conv3                  conv2d_2b
        stem.conv4                  conv2d_3b
        stem.conv5                  conv2d_4a
        stem.mixed                  mixed_5b
        .conv1                      .branch0
        .once.{k}                   .branch1.{k}
        .twice.{k}                  .branch2.{k}
        .pool.project               .branch3.1
        reduction1.0.reduce         mixed_6a.branch0
        reduction1.1.{k}            mixed_6a.branch1.{k}
        reduction1.1.reduce         mixed_6a.branch1.2
        reduction2.{i}.{k}          mixed_7a.branch{i}.{k}
        reduction2.{i}.{x=reduce}   mixed_7a.branch{i}.{#x}
        stage1.{j}.residual         repeat.{j}
        stage2.{j}.residual         repeat_1.{j}
        stage3.9.residual           block8
        stage3.{j}.residual         repeat_2.{j}
        .body.branches.0.0          .branch0
        .body.branches.{i}.{k}      .branch{i}.{k}
        .body.restore               .conv2d
        conv                        conv2d_7b
        head.fc                     classif
    """,
    "inception_v3": INCEPTION_V3,
    "inception_v4": """
        norm = bn
        stem.conv{i}                      features.{i-1}
        stem.mixed1.conv                  features.3.conv
        stem.mixed2.once.reduce           features.4.branch0.0
        stem.mixed2.once.conv             features.4.branch0.1
        stem.mixed2.twice.{k}             features.4.branch1.{k}
        stem.mixed2.twice.conv            features.4.branch1.3
        stem.mixed3.conv                  features.5.conv
        stage1.{j}                        features.{n+5}
        stage2.{j}                        features.{n+6}
        reduction1.0.reduce               features.{n+6}.branch0
        reduction1.1.{k}                  features.{n+6}.branch1.{k}
        reduction1.1.{x=reduce}           features.{n+6}.branch1.{#x}
        reduction2.{i}.{k}                features.{n+7}.branch{i}.{k}
        reduction2.{i}.{x=reduce}         features.{n+7}.branch{i}.{#x}
        stage3.{j}.once.{k}               features.{n+7}.branch1_{k}
        stage3.{j}.once.wide.horizontal   features.{n+7}.branch1_1a
        stage3.{j}.once.wide.vertical     features.{n+7}.branch1_1b
        stage3.{j}.twice.{k}              features.{n+7}.branch2_{k}
        stage3.{j}.twice.wide.horizontal  features.{n+7}.branch2_3a
        stage3.{j}.twice.wide.vertical    features.{n+7}.branch2_3b
        stage3.{j}                        features.{n+7}
        .conv1                            .branch0
        .once.{k}                         .branch1.{k}
        .twice.{k}                        .branch2.{k}
        .pool.project                     .branch3.1
        head.fc                           last_linear
    """,
    "mobilenet_v1": """
        stem.conv                    conv_stem
        stem.norm                    bn1
        stage{i}.{j}.depthwise.conv  blocks.{i-1}.{j}.conv_dw
        stage{i}.{j}.depthwise.norm  blocks.{i-1}.{j}.bn1
        stage{i}.{j}.pointwise.conv  blocks.{i-1}.{j}.conv_pw
        stage{i}.{j}.pointwise.norm  blocks.{i-1}.{j}.bn2
        head.fc                      classifier
    """,
    "mobilenet_v2": INVERTED,
    "nasnetalarge": f"""
        stem1                   cell_stem_0
        stem2                   cell_stem_1
        stage1_cell{{j}}          cell_{{j-1}}
        stage2_cell{{j}}          cell_{{j+5}}
        stage3_cell{{j}}          cell_{{j+11}}
        reduction{{i}}            reduction_cell_{{i-1}}
        .before.paths.even      .path_1.conv
        .before.paths.odd.conv  .path_2.conv
        .before.norm            .final_path_bn{CELL}
        stem                    conv0
    """,
    "pnasnet5large": f"""
        stem1                   cell_stem_0
        stem2                   cell_stem_1
        stage{{i}}_cell{{j}}        cell_{{part-3}}
        reduction{{i}}            cell_{{part-3}}
        .before.paths.even      .conv_prev_1x1.path_1.conv
        .before.paths.odd.conv  .conv_prev_1x1.path_2.conv
        .before.norm            .conv_prev_1x1.final_path_bn{CELL}
        stem                    conv_0
    """,
    "preresnet": """
        stage{i}.{j}.residual.shortcut  stages.{i-1}.blocks.{j}.downsample.conv
        stage{i}.{j}.residual.body      stages.{i-1}.blocks.{j}
        stage{i}.{j}.body.body          stages.{i-1}.blocks.{j}
        stage{i}.{j}.body               stages.{i-1}.blocks.{j}
        stage{i}.{j}                    stages.{i-1}.blocks.{j}
        .norm                           .norm1
        .reduce                         .conv1
        .conv.norm                      .norm2
        .conv.conv                      .conv2
        .restore.norm                   .norm3
        .restore.conv                   .conv3
        stem                            stem
        norm                            norm
        head.fc                         head.fc  1x1
    """,
    "regnet": """
        norm = bn
        stage{i}.{j}.residual    s{i}.b{j+1}
        .body.reduce             .conv1
        .body.conv               .conv2
        .body.restore            .conv3
        .body.se.excite.squeeze  .se.fc1
        .body.se.excite.expand   .se.fc2
        .shortcut                .downsample
        stem                     stem
        head.fc                  head.fc
    """,
    "resnet": RESNET,
    "senet154": LEGACY_SE,
    "seresnext101_32x4d": LEGACY_SE,
    "seresnext50_32x4d": LEGACY_SE,
    "vgg": """
        stage{i}.{j}.{x}  features.{row}
        head.fc1          pre_logits.fc1  7x7
        head.fc2          pre_logits.fc2  1x1
        head.fc3          head.fc
    """,
    "xception": """
        entry.conv{i}.conv                        conv{i}
        entry.conv{i}.norm                        bn{i}
        entry.block1.body.conv{k}.depthwise       block1.rep.{3k-3}.conv1
        entry.block1.body.conv{k}.pointwise.conv  block1.rep.{3k-3}.pointwise
        entry.block1.body.conv{k}.pointwise.norm  block1.rep.{3k-2}
        entry.block{i}                            block{i}
        middle.{j}                                block{j+4}
        exit.block                                block12
        .body.conv{k}.depthwise                   .rep.{3k-2}.conv1
        .body.conv{k}.pointwise.conv              .rep.{3k-2}.pointwise
        .body.conv{k}.pointwise.norm              .rep.{3k-1}
        .shortcut.conv                            .skip
        .shortcut.norm                            .skipbn
        exit.conv{i}.depthwise                    conv{i+2}.conv1
        exit.conv{i}.pointwise.conv               conv{i+2}.pointwise
        exit.conv{i}.pointwise.norm               bn{i+2}
        head.fc                                   fc
    """,
}
"""Family, or name of a net -> its table."""
