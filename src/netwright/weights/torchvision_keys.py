"""What torchvision calls the weights of each family; `netwright.weights.table` reads it."""

from __future__ import annotations

__all__ = ["BLOCKS", "DENSENET", "INCEPTION_V3", "RESNET", "TABLES"]

BLOCKS = """
    .body.conv{k}.conv              .conv{k}
    .body.conv{k}.norm              .bn{k}
    .body.reduce.conv               .conv1
    .body.reduce.norm               .bn1
    .body.conv.conv                 .conv2
    .body.conv.norm                 .bn2
    .body.restore.conv              .conv3
    .body.restore.norm              .bn3
    .shortcut.conv                  .downsample.0
    .shortcut.norm                  .downsample.1
"""
"""What is in basic blocks and bottlenecks of ResNets."""
RESNET = f"""
    stage{{i}}.{{j}}.residual           layer{{i}}.{{j}}{BLOCKS}
    .body.attention.excite.squeeze  .se.fc1
    .body.attention.excite.expand   .se.fc2
    stem.conv.conv                  conv1
    stem.conv.norm                  bn1
    head.fc                         fc
"""
SEGMENTATION = f"""
    conv = 0
    norm = 1
    stage{{i}}.{{j}}.residual           backbone.layer{{i}}.{{j}}{BLOCKS}
    stem.conv.conv                  backbone.conv1
    stem.conv.norm                  backbone.bn1
    head.score                      classifier.4
    aux.head.conv                   aux_classifier
    aux.head.score                  aux_classifier.4
"""
"""A ResNet, a head and an auxiliary one."""
DENSENET = """
    stem.conv.{x}                features.{x}0
    block{i}.{j}.new.reduce.{x}  features.denseblock{i}.denselayer{j+1}.{x}1
    block{i}.{j}.new.conv.{x}    features.denseblock{i}.denselayer{j+1}.{x}2
    transition{i}                features.transition{i}
    norm                         features.norm5
    head.fc                      classifier
"""
INCEPTION_V3 = """
    norm = bn
    stem.conv1                        Conv2d_1a_3x3
    stem.conv2                        Conv2d_2a_3x3
    stem.conv3                        Conv2d_2b_3x3
    stem.conv4                        Conv2d_3b_1x1
    stem.conv5                        Conv2d_4a_3x3
    stage1.{j}.once.{k}               Mixed_5{j:bcd}.branch5x5_{k+1}
    stage1.{j}.twice.{k}              Mixed_5{j:bcd}.branch3x3dbl_{k+1}
    stage1.{j}                        Mixed_5{j:bcd}
    reduction1.0.reduce               Mixed_6a.branch3x3
    reduction1.1.{k}                  Mixed_6a.branch3x3dbl_{k+1}
    reduction1.1.reduce               Mixed_6a.branch3x3dbl_3
    stage2.{j}.once.{k}               Mixed_6{j:bcde}.branch7x7_{k+1}
    stage2.{j}.twice.{k}              Mixed_6{j:bcde}.branch7x7dbl_{k+1}
    stage2.{j}                        Mixed_6{j:bcde}
    reduction2.0.0                    Mixed_7a.branch3x3_1
    reduction2.0.reduce               Mixed_7a.branch3x3_2
    reduction2.1.{k}                  Mixed_7a.branch7x7x3_{k+1}
    reduction2.1.reduce               Mixed_7a.branch7x7x3_4
    stage3.{j}.once.{k}               Mixed_7{j:bc}.branch3x3_{k+1}
    stage3.{j}.once.wide.horizontal   Mixed_7{j:bc}.branch3x3_2a
    stage3.{j}.once.wide.vertical     Mixed_7{j:bc}.branch3x3_2b
    stage3.{j}.twice.{k}              Mixed_7{j:bc}.branch3x3dbl_{k+1}
    stage3.{j}.twice.wide.horizontal  Mixed_7{j:bc}.branch3x3dbl_3a
    stage3.{j}.twice.wide.vertical    Mixed_7{j:bc}.branch3x3dbl_3b
    stage3.{j}                        Mixed_7{j:bc}
    .conv1                            .branch1x1
    .pool.project                     .branch_pool
    aux.head.reduce                   AuxLogits.conv0
    aux.head.conv                     AuxLogits.conv1
    aux.head.head.fc                  AuxLogits.fc
    head.fc                           fc
"""

TABLES = {
    "alexnet": """
        conv{i}   features.{row}
        head.fc1  classifier.1
        head.fc2  classifier.4
        head.fc3  classifier.6
    """,
    "convnext": """
        stem.conv                    features.0.0
        stem.norm                    features.0.1
        stage{i}.{j}.body.depthwise  features.{2i-1}.{j}.block.0
        stage{i}.{j}.body.norm       features.{2i-1}.{j}.block.2
        stage{i}.{j}.body.expand     features.{2i-1}.{j}.block.3  flat
        stage{i}.{j}.body.project    features.{2i-1}.{j}.block.5  flat
        stage{i}.{j}.body.scale.weight  features.{2i-1}.{j}.layer_scale  1x1
        down{i}.norm                 features.{2i}.0
        down{i}.conv                 features.{2i}.1
        head.norm                    classifier.0
        head.fc                      classifier.2
    """,
    **dict.fromkeys(
        ["deeplabv3_resnet50", "deeplabv3_resnet101"],
        SEGMENTATION
        + """
        head.aspp.pyramid.mean.project.conv  classifier.0.convs.4.1
        head.aspp.pyramid.mean.project.norm  classifier.0.convs.4.2
        head.aspp.pyramid.{x}                classifier.0.convs.{#x}
        head.aspp.project                    classifier.0.project
        head.conv.conv                       classifier.1
        head.conv.norm                       classifier.2
    """,
    ),
    "densenet": DENSENET,
    "efficientnet": """
        conv = 0
        norm = 1
        squeeze = fc1
        expand = fc2
        stem                             features.0
        stage{i}.{j}.body.{x=se}.excite  features.{i}.{j}.block.{#x}
        stage{i}.{j}.body.{x}            features.{i}.{j}.block.{#x}
        last                             features.8
        head.fc                          classifier.1
    """,
    **dict.fromkeys(
        ["fcn_resnet50", "fcn_resnet101"], f"{SEGMENTATION}    head.conv  classifier\n"
    ),
    "googlenet_bn": """
        norm = bn
        stem.conv1      conv1
        stem.reduce     conv2
        stem.conv2      conv3
        inception{x}    inception{x}
        .conv1          .branch1
        .conv3.reduce   .branch2.0
        .conv3.conv     .branch2.1
        .conv5.reduce   .branch3.0
        .conv5.conv     .branch3.1
        .pool.project   .branch4.1
        aux4a.head      aux1
        aux4d.head      aux2
        .hidden         .fc1
        .fc             .fc2
        head.fc         fc
    """,
    "inception_v3": INCEPTION_V3,
    "mobilenet": """
        conv = 0
        norm = 1
        stem                                features.0
        stage{i}.{j}.body.{x=project}.conv  features.{n}.conv.{#x}
        stage{i}.{j}.body.{x=project}.norm  features.{n}.conv.{#x+1}
        stage{i}.{j}.body.{x}               features.{n}.conv.{#x}
        last                                features.{n+1}
        head.fc                             classifier.1
    """,
    "mobilenet_v3": """
        conv = 0
        norm = 1
        squeeze = fc1
        expand = fc2
        stem                         features.0
        body.{j}.body.{x=se}.excite  features.{j+1}.block.{#x}
        body.{j}.body.{x}            features.{j+1}.block.{#x}
        last                         features.{n+1}
        head.fc1                     classifier.0
        head.fc2                     classifier.3
    """,
    "regnet": """
        conv = 0
        norm = 1
        squeeze = fc1
        expand = fc2
        stage{i}.{j}.residual  trunk_output.block{i}.block{i}-{j}
        .body.reduce           .f.a
        .body.conv             .f.b
        .body.restore          .f.c
        .body.se.excite        .f.se
        .shortcut              .proj
        stem                   stem
        head.fc                fc
    """,
    "resnet": RESNET,
    "shufflenet": """
        conv = 0
        norm = 1
        stem.conv                                conv1
        stage{i}.{j}.halves.skip.depthwise       stage{i}.{j}.branch1
        stage{i}.{j}.halves.skip.pointwise.conv  stage{i}.{j}.branch1.2
        stage{i}.{j}.halves.skip.pointwise.norm  stage{i}.{j}.branch1.3
        stage{i}.{j}.halves.body.convs           stage{i}.{j}.branch2
        stage{i}.{j}.halves.body                 stage{i}.{j}.branch2
        .reduce                                  -
        .depthwise.conv                          .3
        .depthwise.norm                          .4
        .restore.conv                            .5
        .restore.norm                            .6
        last                                     conv5
        head.fc                                  fc
    """,
    "squeezenet": """
        stem.conv                  features.0
        fire{i}.squeeze.conv       features.{part+1}.squeeze
        fire{i}.expand.conv1.conv  features.{part+1}.expand1x1
        fire{i}.expand.conv3.conv  features.{part+1}.expand3x3
        head.conv.conv             classifier.1
    """,
    **dict.fromkeys(
        ["r3d_18", "r2plus1d_18"],
        """
        conv = 0
        norm = 1
        stage{i}.{j}.residual     layer{i}.{j}
        .body.conv{k}.space       .conv{k}.0
        .body.conv{k}.time.conv   .conv{k}.0.3
        .body.conv{k}.time.norm   .conv{k}.1
        .body.conv{k}             .conv{k}
        .shortcut                 .downsample
        stem.space                stem
        stem.time.conv            stem.3
        stem.time.norm            stem.4
        stem                      stem
        head.fc                   fc
    """,
    ),
    "vgg": """
        stage{i}.{j}.{x}  features.{row}
        head.fc1          classifier.0
        head.fc2          classifier.3
        head.fc3          classifier.6
    """,
}
"""Family, or name of a net -> its table."""
