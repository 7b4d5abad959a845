"""What the views of the inspection say in Chinese while a lesson in Chinese is open."""

from __future__ import annotations

VIEW_WORDS = {
    # what each view shows
    "How strongly the loss at a timestep still depends on the state k steps earlier. Where the curve has fallen "
    "a thousandfold, only a thousandth of the signal remains: what is farther away is hardly learned.": (
        "某一时间步的损失在多大程度上仍取决于 k 步之前的状态。"
        "曲线降到千分之一的地方，信号也只剩千分之一：更远的内容几乎学不到。"
    ),
    "The higher the block under a token, the more it surprised the model: -ln of the probability it had. A full "
    "block is as surprising as a blind guess among all tokens. The loss is the mean of these.": (
        "字符下方的方块越高，模型就越意外：高度是它的概率的 −ln。满格相当于在所有字符中盲猜。损失就是这些值的平均。"
    ),
    "Each row is a unit, each column a token being read. A gate near 1 (strong) is open, near 0 (blank) closed: an "
    "open forget gate keeps the cell, an input gate lets new content in. It depends on what is read.": (
        "每行是一个单元，每列是正在读的一个字符。门接近 1（深色）为打开，接近 0（空白）为关闭："
        "遗忘门打开则保留细胞状态，输入门打开则让新内容进来；这取决于读到了什么。"
    ),
    "Each row is a unit, each column a token being read. The stronger, the farther from 0; the other colour (= without "
    "colours) is negative. A unit that holds its value over many tokens remembers something: find out what.": (
        "每行是一个单元，每列是正在读的一个字符。颜色越深，离 0 越远；另一种颜色（无颜色时为 =）表示负值。"
        "一个单元若在许多字符上保持同一个值，就是在记住什么：看看它记住了什么。"
    ),
    "The same weights, but with gates held open (1) or closed (0) at every timestep: what changes is what that "
    "gate is for. A closed forget gate forgets at once; a closed input gate never learns of what it reads.": (
        "权重不变，但让某些门在每个时间步都打开（1）或关闭（0）：随之改变的，正是那个门的用处。"
        "遗忘门关闭则立刻忘掉一切；输入门关闭则读到的内容进不来。"
    ),
    "The same weights, but with units of the hidden state held at a value at every timestep: what changes is what "
    "those units are for. A plain RNN has no gates that could be held open or closed.": (
        "权重不变，但让隐藏状态的某些单元在每个时间步都固定为一个值：随之改变的，正是那些单元的用处。"
        "普通 RNN 没有可以打开或关闭的门。"
    ),
    "The prediction after the token under the cursor, and how much each token before it had to do with that: the "
    "squared gradient of the predicted token's logit. Blocks show its square root.": (
        "光标处字符之后的预测，以及之前每个字符与它有多大关系：所预测字符的 logit 的梯度平方。方块表示其平方根。"
    ),
    "One step's gradient before and after clipping. Clipping by norm keeps its direction (cosine 1) and makes it "
    "shorter; clipping by value bends it. Bars: each parameter's fraction of the squared norm.": (
        "一步的梯度，裁剪之前与之后。按范数裁剪保持方向（余弦为 1），只把它缩短；按值裁剪会改变方向。"
        "横条：各参数在范数平方中所占的比例。"
    ),
    "How often the model is right about a token that an earlier one determines, by how much earlier. On the dashed "
    "chance line it has forgotten that token; right of the mark lie distances it never trained on.": (
        "一个字符由更早的字符决定时，模型猜对的比例，按两者的距离统计。落在虚线（随机水平）上，说明它已忘了那个字符；"
        "标记右侧是训练中从未有过的距离。"
    ),
    # titles and headers
    "Accuracy by distance": "按距离的正确率",
    "the curve comes with the first answer": "首次测得后显示曲线",
    "for corpora with known dependencies": "只用于已知依赖关系的语料",
    "trained to here": "训练到此为止",
    "chance": "随机水平",
    "accuracy": "正确率",
    "ratio": "比值",
    "falls to 1% at": "降到 1% 的位置",
    "at the last k": "最后的 k 处",
    "is 0 everywhere": "处处为 0",
    "not finite": "不是有限的数",
    "input gate": "输入门",
    "forget gate": "遗忘门",
    "output gate": "输出门",
    "new cell content": "新的细胞内容",
    "cell state": "细胞状态",
    "hidden state": "隐藏状态",
    "reset gate": "重置门",
    "update gate": "更新门",
    "new hidden content": "新的隐藏内容",
    "The norms of the last steps come while a run is trained.": "训练时显示最近各步的范数。",
    "parameter": "参数",
    "before": "裁剪前",
    "after": "裁剪后",
    "fraction": "比例",
    "weights": "权重",
    "right": "正确",
    "of": "总数",
    "untouched": "原样",
    "forced": "固定后",
    "waiting for the engine": "正在等待引擎",
    "nothing is forced": "没有固定任何东西",
    "choose a gate": "选择一个门",
    "A plain RNN has no gates; clamp its hidden units.": "普通 RNN 没有门；可以固定它的隐藏单元。",
    "the gradient is 0, or not finite": "梯度为 0，或不是有限的数",
    "the last": "最后一个",
    "start": "开始时",
}

VIEW_SENTENCES = {
    "One timestep of two units: {} goes from the gates to the loss, and back through the gradients.": (
        "两个单元的一个时间步：按{}，从各个门走到损失，再沿梯度走回来。"
    ),
    "‖∂L/∂{}‖ k timesteps earlier (log)": "k 个时间步之前的 ‖∂L/∂{}‖（对数）",
    "step {}": "第 {} 步",
    "at k = {}": "k = {} 处",
    "not by {}": "到 {} 仍未降到",
    "Accuracy by distance: {}": "按距离的正确率：{}",
    "faint: 95% interval  step {}": "浅色：95% 区间  第 {} 步",
    "token {}": "第 {} 个字符",
    "rank {}": "排名 {}",
    "surprisal {} nats": "意外程度 {} 奈特",
    "{} token": "{} 个字符",
    "{} tokens": "{} 个字符",
    "loss {} nats per token": "损失 {} 奈特每字符",
    "perplexity {}": "困惑度 {}",
    "layer {} {}": "第 {} 层{}",
    "layer {}": "第 {} 层",
    "units {} of {}, {}": "单元 {}（共 {}），{}",
    "units {} of {} ({}/{}), {}": "单元 {}（共 {}，{}/{}），{}",
    "by number": "按编号",
    "by variance": "按方差",
    "by saturation": "按饱和程度",
    "by correlation with {}": "按与 {} 的相关性",
    "below 0.1: {}": "低于 0.1：{}",
    "above 0.9: {}": "高于 0.9：{}",
    "|value| below 0.1: {}": "|值| 低于 0.1：{}",
    "unit {} after token {} (": "单元 {}，第 {} 个字符（",
    "):": "）之后：",
    "after token {} ({}) it expects": "第 {} 个字符（{}）之后，预期",
    "fraction of {} in all": "在总和 {} 中的比例",
    "{} back": "前 {} 个",
    "clipping by norm at {}": "按范数裁剪，阈值 {}",
    "clipping by value at {}": "按值裁剪，阈值 {}",
    "scale {}": "缩放 {}",
    "cosine {}": "余弦 {}",
    "Norms of the last {} steps (log), {} clipped": "最近 {} 步的范数（对数），裁剪了 {}",
    "Norms of the last {} steps (log), {} clipped, {} not finite or 0": (
        "最近 {} 步的范数（对数），裁剪了 {}，其中 {} 个为 0 或不是有限的数"
    ),
}
"""Those with figures, each of which stands for {}."""
