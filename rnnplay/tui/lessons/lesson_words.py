"""What the interface itself says while a lesson is open, in the lesson's language: the footer, titles, remarks."""

from __future__ import annotations

from dataclasses import replace

from textual.binding import ActiveBinding

from rnnplay.lessons.languages import Language

Words = dict[Language, str]

MEASURING: Words = {"en": "measuring…", "zh": "正在测量…"}
MEASURING_FIRST: Words = {
    "en": "The run that has just finished is being measured; then it goes on.",
    "zh": "正在测量刚刚结束的训练，随后继续。",
}
AGAIN: Words = {
    "en": "Step {step} asks for {asked}, and {measured} was measured: trained once more, with another seed.",
    "zh": "第 {step} 步要求{asked}，测得 {measured}：换一个随机种子，再训练一次。",
}
OPENED: Words = {
    "en": "Step {step} is about {variant}: its run is opened again.",
    "zh": "第 {step} 步看的是 {variant}：重新打开它的训练。",
}
NEW_TITLE: Words = {"en": "A run that is not the lesson's", "zh": "不属于本课的训练"}
NEW_QUESTION: Words = {
    "en": "n begins a run with the settings in the form, and none of the lesson's steps will tick by it. "
    "What the lesson needs next, t does.",
    "zh": "n 会按表单里的设置开始一次新的训练，本课的步骤不会因此打勾。本课接下来要做的事，按 t。",
}
NEW_YES: Words = {"en": "Begin it", "zh": "开始"}
NEW_NO: Words = {"en": "Stay in the lesson", "zh": "留在本课"}
FINISHED: Words = {"en": "{run} is finished at step {step:,}.", "zh": "{run} 已在第 {step:,} 步结束。"}
RUNNING: Words = {
    "en": "A run is under way; stop it (x) before starting another.",
    "zh": "训练正在进行；先停止（x），再开始另一次。",
}
LESSON_KEYS: Words = {"en": "l lessons  a answer  ctrl+l close", "zh": "l 课程  a 答案  ctrl+l 关闭"}
KEYS: Words = {
    "en": "t does what comes next. [i 3] means: press i, then 3.",
    "zh": "按 t 做下一件事。[i 3] 表示先按 i，再按 3。",
}
BUTTON_KEYS: Words = {"en": "tab, enter", "zh": "tab，回车"}
ANSWER: Words = {"en": "The answer (a)", "zh": "答案（a）"}
ALL_DONE: Words = {
    "en": "Every step of this lesson is done. l opens the next lesson, n begins a run with the settings in the form.",
    "zh": "本课的每一步都已完成。按 l 打开下一课，按 n 按表单里的设置开始新的训练。",
}
DONE: Words = {"en": "every step of this lesson is done", "zh": "本课的每一步都已完成"}

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
    "Setup": "设置",
    "Help": "帮助",
    "Quit": "退出",
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
}
"""What keys do and views are called."""


def in_language(word: str, language: Language) -> str:
    """A word of the interface; one without a translation stays English."""
    return CHINESE.get(word, word) if language == "zh" else word


def footer_in(bindings: dict[str, ActiveBinding], language: Language) -> dict[str, ActiveBinding]:
    """What a screen gives its footer, in the lesson's language."""
    if language == "en":
        return bindings
    return {
        key: active._replace(binding=replace(active.binding, description=in_language(shown, language)))
        for key, active in bindings.items()
        for shown in (active.binding.description,)
    }
