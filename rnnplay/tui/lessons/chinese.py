"""What the interface says in Chinese while a lesson in Chinese is open."""

from __future__ import annotations

import re
from functools import cache
from itertools import count

from rnnplay.tui.lessons.chinese_views import VIEW_SENTENCES, VIEW_WORDS

CHINESE = {
    "Train": "训练",
    "Resume": "继续训练",
    "Look": "去看",
    "New": "新训练",
    "Continue": "继续",
    "Preparing": "准备中",
    "Stopping": "正在停止",
    "Measuring": "测量中",
    "Done": "完成",
    "Pause": "暂停",
    "Go on": "继续",
    "Stop": "停止",
    "Clip": "裁剪",
    "Prompt": "提示",
    "Runs": "训练记录",
    "Inspect": "查看内部",
    "Learn": "课程",
    "Race": "竞赛",
    "Sweeps": "参数扫描",
    "Samples": "样本",
    "Other run": "另一次训练",
    "Scratchpad": "草稿本",
    "Write": "写作",
    "Setup": "设置",
    "Help": "帮助",
    "Quit": "退出",
    "Jump": "跳转",
    "There is nothing else here that can have the focus.": "这里没有别的地方可以跳转。",
    "Leave": "离开",
    "Back": "返回",
    "Open": "打开",
    "Charts": "图表",
    "Again": "再测",
    "Text": "文本",
    "View": "视图",
    "Train/pause": "训练/暂停",
    "Threshold": "阈值",
    "Quantity": "量",
    "Layer": "层",
    "Order": "排序",
    "Property": "性质",
    "Free/0/1": "自由/0/1",
    "Clamp": "固定",
    "Release": "放开",
    "Keep": "保留",
    "Forget kept": "丢弃所保留的",
    "Distance": "距离",
    "h or c": "h 或 c",
    "Copy the sample": "复制样本",
    "Stop the sample": "停止生成",
    "Answer": "答案",
    "gradient": "梯度",
    "predictions": "预测",
    "gates": "门",
    "what if": "假如",
    "connectivity": "关联",
    "clipping": "裁剪",
    "distance": "距离",
    "timestep": "时间步",
    "token": "字符",
    "units": "单元",
    "Units": "单元",
    "Token": "字符",
    "Next stage": "下一阶段",
    "Stage before": "上一阶段",
    "forward: the gates and the new content": "前向：各个门与新内容",
    "forward: the cell state": "前向：细胞状态",
    "forward: the hidden state": "前向：隐藏状态",
    "forward: the loss": "前向：损失",
    "backward: ∂L/∂h, from the loss": "反向：由损失得到 ∂L/∂h",
    "backward: ∂L/∂o and ∂L/∂c": "反向：∂L/∂o 与 ∂L/∂c",
    "backward: ∂L/∂f, ∂L/∂i and ∂L/∂c̃": "反向：∂L/∂f、∂L/∂i 与 ∂L/∂c̃",
    "backward: to the timestep before": "反向：回到上一个时间步",
    "{} parameters": "{} 个参数",
    "engine starting": "引擎启动中",
    "building the model": "正在构建模型",
    "encoding": "编码",
    "ready": "就绪",
    "preparing": "准备中",
    "training": "训练中",
    "paused": "已暂停",
    "stopping": "正在停止",
    "stopped": "已停止",
    "finished": "已完成",
    "engine gone": "引擎已退出",
    "early stop": "提前停止",
    "{} left": "剩余 {}",
    "no answer for {}": "已 {} 没有应答",
    "at this step for {}": "这一步已用 {}",
    "Loss": "损失",
    "Bits per character": "每字符比特数",
    "nats per token, as soon as training begins": "单位：奈特每字符；训练开始后显示",
    "Gradient norm": "梯度范数",
    "before clipping, on a log axis": "裁剪之前，对数坐标",
    "train a model first, then type here": "先训练一个模型，再在这里输入",
    "type the beginning of a text": "输入一段文字的开头",
    "The model is on its way: its views follow as soon as it is loaded.": "模型正在准备：加载完成后显示各个视图。",
    "The weights are not finite: the run has diverged, so there is nothing to show.": (
        "权重不是有限的数：训练已经发散，没有可以显示的内容。"
    ),
    "this run has no model that can be loaded": "这次训练没有可加载的模型",
    "type the beginning of a text; the model is on its way": "输入一段文字的开头；模型正在准备",
    "… a sample from here is written as soon as the model is there": "… 模型一就绪，就从这里生成样本",
    "Enter writes a sample from here.": "回车：从这里生成样本。",
    "train": "训练",
    "space": "空格",
    "valid": "验证",
    "norm": "范数",
    "Add": "添加",
    "Axis": "横轴",
    "Back to a checkpoint, or branch": "回到检查点，或分支",
    "Branch": "分支",
    "Cancel": "取消",
    "Clip threshold": "裁剪阈值",
    "Close the lesson": "关闭本课",
    "Compare": "比较",
    "Curves": "曲线",
    "Drop": "退出竞赛",
    "Export": "导出",
    "Filter": "筛选",
    "Losses": "损失",
    "Match parameters": "参数量对齐",
    "Memory": "记忆",
    "New race": "新竞赛",
    "Next knob": "下一个参数",
    "Next study": "下一项扫描",
    "Note": "备注",
    "On the charts": "画到图上",
    "Open the run": "打开训练",
    "Other way round": "反向排序",
    "Overlay off": "取消叠加",
    "Parents": "父训练",
    "Pause one": "暂停一个",
    "Rate test": "学习率测试",
    "Read-only": "只读",
    "Release what is forced": "放开所固定的",
    "Remove": "移除",
    "Rename": "改名",
    "Repeat": "重复",
    "Samples that were drawn": "生成过的样本",
    "Save as a preset": "存为预设",
    "Sort": "排序",
    "Start": "开始",
    "Steps/tokens": "步数/字符数",
    "Tags": "标签",
    "Take the rate": "采用此学习率",
    "Undo": "撤销",
    "Validation/training": "验证/训练",
    "Choose": "选择",
    "Bring back": "恢复",
    # the race
    "starting": "启动中",
    "waiting": "等待中",
    "no better": "不再改善",
    "dropped": "已退出",
    "failed": "失败",
    "diverged": "发散",
    "best": "最佳",
    "steps": "步数",
    "tokens": "字符数",
    "time": "时间",
    "tok/s": "字符/秒",
    "clipped": "裁剪",
    "parameters": "参数",
    "variant": "方案",
    "mean": "均值",
    "now": "当前",
    "bits/char": "比特/字符",
    "before clipping": "裁剪之前",
    "the losses come as soon as all have begun": "全部开始后显示损失",
    "Loss by steps": "损失（按步数）",
    "Loss by tokens": "损失（按字符数）",
    "Loss by seconds": "损失（按秒）",
    "Gradient norm by steps": "梯度范数（按步数）",
    "Gradient norm by tokens": "梯度范数（按字符数）",
    "Gradient norm by seconds": "梯度范数（按秒）",
    "training, points: validation": "线：训练，点：验证",
    "validation": "验证",
    "type the beginning of a text; all variants complete it": "输入一段文字的开头；所有方案都来续写",
    "The ranking begins when every variant has been validated once.": "每个方案都验证过一次后开始排名。",
    # sweeps and the range test
    "no run is done yet": "还没有完成的训练",
    "reading the studies…": "正在读取……",
    "Learning-rate range test": "学习率范围测试",
    "loading the model": "正在载入模型",
    "A tenth of the rate with the lowest loss is one to begin with. It promises nothing.": (
        "可以从损失最低处学习率的十分之一开始；这并不保证什么。"
    ),
    "The loss does not fall at any of these rates; try others, or more steps.": (
        "这些学习率都没有使损失下降；换一个范围，或增加步数。"
    ),
    "clipping off": "不裁剪",
    "does not blow up": "没有爆炸",
    "once": "一次",
} | VIEW_WORDS
"""Translations of key labels, view names, the header, and the titles of charts and prompt."""

SENTENCES = {
    "There is no model to inspect yet: press {}, then {} to train one or {} to open a run.": (
        "还没有可以查看的模型：按 {}，再按 {} 训练一个，或按 {} 打开一次训练。"
    ),
    "There is no text to look at: type one in the line above ({}).": "没有可以查看的文字：请在上面一行输入（{}）。",
    # the health line
    "Unstable: rolled back {}, last from step {}.": "不稳定：回退了 {}，最近一次在第 {} 步。",
    "{} times": "{} 次",
    "Unstable: the loss has not been finite since step {}.": "不稳定：从第 {} 步起损失不再是有限值。",
    "Unstable: the loss was not finite at step {}.": "不稳定：第 {} 步的损失不是有限值。",
    "Unstable: the loss rose to {} at step {}; it began at {}.": "不稳定：第 {1} 步损失升到 {0}；开始时为 {2}。",
    "Learning rate probably too low: {}.": "学习率可能太低：{}。",
    "loss only {}% lower after {} steps": "{1} 步后损失只降低了 {0}%",
    "{} steps for the first {}% of the loss": "损失最初的 {1}% 用了 {0} 步",
    "Learning rate probably too high: {}.": "学习率可能太高：{}。",
    "validation ±{}% from one to the next": "相邻两次验证相差 ±{}%",
    "loss {} → {} at step {}, now level": "损失 {} → {}（第 {} 步），现已持平",
    "Overfitting since step {}: validation {} → {}, training loss −{}%.": (
        "从第 {} 步起过拟合：验证损失 {} → {}，训练损失 −{}%。"
    ),
    "Still learning: validation {}% lower than {} steps before.": "仍在学习：验证损失比 {1} 步之前低 {0}%。",
    "Levelled off: validation {}% lower than {} steps before.": "已趋于平稳：验证损失比 {1} 步之前低 {0}%。",
    "Levelled off: validation {}% higher than {} steps before.": "已趋于平稳：验证损失比 {1} 步之前高 {0}%。",
    # readouts of the charts
    "perplexity {}  {} bits/char": "困惑度 {}  {} 比特/字符",
    "next: {}": "接下来：{}",
    "clip norm at {}": "范数裁剪，阈值 {}",
    "clip value at {}": "按值裁剪，阈值 {}",
    "last {} → {}  {}% of {} steps clipped": "最近 {} → {}  {3} 步中裁剪了 {2}%",
    "{}% of {} steps clipped": "{1} 步中裁剪了 {0}%",
    # the race
    "race: over ({})": "竞赛：已结束 ({})",
    "race: {} ({})": "竞赛：{} ({})",
    "{} of {} training": "共 {1} 个，{0} 个训练中",
    "{} of {} training, {}": "共 {1} 个，{0} 个训练中，{2}",
    "{} waiting": "{} 个等待中",
    "{} waiting, {}": "{} 个等待中，{}",
    "{} diverged": "{} 个发散",
    "{} diverged, {}": "{} 个发散，{}",
    "{} paused": "{} 个已暂停",
    "{} paused, {}": "{} 个已暂停，{}",
    "{} finished": "{} 个已完成",
    "{} finished, {}": "{} 个已完成，{}",
    "{} stopped": "{} 个已停止",
    "{} stopped, {}": "{} 个已停止，{}",
    "{} failed": "{} 个失败",
    "{} failed, {}": "{} 个失败，{}",
    "{} preparing": "{} 个准备中",
    "{} preparing, {}": "{} 个准备中，{}",
    "seed {} of {}": "第 {}/{} 个种子",
    "range of {}": "{} 个种子的范围",
    "diverged at {}": "第 {} 步发散",
    "training, put back {}×": "训练中，回退 {} 次",
    "at {} steps": "第 {} 步",
    "at {} tokens": "{} 字符",
    "at {} s": "{} 秒",
    "each at its end": "各自结束时",
    "turns of equal seconds": "按等长的秒数轮流",
    "turns of equal steps": "按相同步数轮流",
    "turns of equal tokens": "按相同字符数轮流",
    "{} of {} at a time on {}": "每次 {}/{} 个，{}",
    "both at once on {}": "两个同时，{}",
    "all {} at once on {}": "{} 个同时，{}",
    "1 core": "1 个核",
    "{} cores": "{} 个核",
    "1 thread each": "各 1 个线程",
    "{} threads each": "各 {} 个线程",
    "about {} parameters each": "各约 {} 个参数",
    "{} is ahead of {} with one seed: the difference may be noise; repeat the race ({}).": (
        "只用一个种子，{} 领先于 {}：差别可能只是噪声；请重复竞赛（{}）。"
    ),
    "{} and {} have been compared with one seed so far: their difference may be noise.": (
        "{} 与 {} 目前只比较了一个种子：差别可能只是噪声。"
    ),
    "The ranges of {} and {} overlap over {} seeds: their difference may be noise.": (
        "{2} 个种子上，{0} 与 {1} 的范围有重叠：差别可能只是噪声。"
    ),
    "{} is ahead of {} with every seed: their ranges over {} seeds do not overlap.": (
        "每个种子上 {} 都领先于 {}：{} 个种子的范围没有重叠。"
    ),
    # sweeps and the range test
    "{}: {} of {} runs done": "{}：{2} 次训练完成了 {1} 次",
    "{}: {} of {} runs done, {}": "{}：{2} 次训练完成了 {1} 次，{3}",
    "Best {} with {}": "最佳 {}，{}",
    "{} by {}": "{}（按 {}）",
    "validation loss": "验证损失",
    "step {} of {}, learning rate {}": "第 {} 步，共 {} 步，学习率 {}",
    "Steepest descent at {}, lowest at {}, {}. To begin with: {}.": (
        "在 {} 处下降最快，在 {} 处最低，{}。可以从 {} 开始。"
    ),
    "Steepest descent at {}, {}. To begin with: {}.": "在 {} 处下降最快，{}。可以从 {} 开始。",
    "blows up from {} on": "从 {} 起爆炸",
} | VIEW_SENTENCES
"""Translations of what is said with figures, each of which stands for {}."""


def in_chinese(text: str) -> str:
    """Translates a word or a sentence, and the words within it; what has no translation stays as it is."""
    if (word := CHINESE.get(text) or SENTENCES.get(text)) is not None and "{}" not in text:
        return word
    for pattern, sentence in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return _filled(sentence, [in_chinese(part) for part in found.groups()])
    return word or text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences as patterns, those with the most letters of their own first."""
    order = sorted(SENTENCES.items(), key=lambda one: -len(one[0]))
    return [(re.compile(re.escape(text).replace(r"\{\}", "(.+?)")), chinese) for text, chinese in order if "{}" in text]


def _filled(sentence: str, parts: list[str]) -> str:
    """Puts the parts into their places: {} is the next one in the order of the English text, {1} the second."""
    following = count()
    return re.sub(r"\{(\d*)\}", lambda found: parts[int(found[1] or next(following))], sentence)
