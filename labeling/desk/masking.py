"""Hides the names that a model gives itself, so that raters stay blind. Only what is shown is
masked: the stored answer is not. Pure.

A name is hidden where the text speaks of its author ("I am Qwen, made by Alibaba"), and left where
it is the topic ("Qwen was released in 2023"). The name of the answer's own source is hidden
everywhere.
"""

import re

MASK = "[name hidden]"
NAMES = (
    r"Chat\s?GPT(?:[- ][\w.]+)?",
    r"GPT[- ]?\d[\w.]*(?:[- ](?:turbo|mini|nano|omni))?",
    r"Open\s?AI",
    r"Claude(?:[- ](?:\d[\w.]*|Opus|Sonnet|Haiku|Instant)\b)*",
    r"Anthropic(?:'s|’s)?(?:,? PBC)?",
    r"Gemma(?:[- ]?\d[\w.]*)?",
    r"PaLM(?:[- ]?\d)?",
    r"LaMDA",
    r"DeepMind",
    r"(?:Meta )?L[lL]a[mM][aA](?:[- ]?\d[\w.]*)?(?:[- ](?:Chat|Instruct))?",
    r"Facebook(?: AI)?",
    r"(?:Le Chat|Mistral(?: AI)?(?:[- ](?:7B|Nemo|Large|Small|Medium|Instruct)\b)*|Mixtral[\w-]*)",
    r"Q[wW]en[\w.-]*",
    r"QwQ[\w.-]*",
    r"Tongyi(?: Qianwen)?",
    r"Alibaba(?: Cloud| Group)?",
    r"DeepSeek(?:[- ](?:AI|V\d[\w.]*|R\d[\w.]*|Chat|Coder)\b)*",
    r"SmolLM[\w.-]*",
    r"Hugging\s?Face(?:TB)?",
    r"Phi[- ]?\d[\w.-]*",
    r"Grok(?:[- ]?\d[\w.]*)?",
    r"xAI",
    r"Command[- ]R\+?",
    r"Cohere",
    r"(?:Chat)?GLM[\w.-]*",
    r"Zhipu(?: AI)?",
    r"Kimi",
    r"Moonshot(?: AI)?",
    r"ERNIE(?: Bot)?",
    r"Baidu",
    r"01\.AI",
    r"Baichuan[\w.-]*",
    r"InternLM[\w.-]*",
    r"MiniMax",
    r"Doubao",
    r"ByteDance",
    r"Tencent",
    r"Hunyuan",
    r"(?:Technology Innovation Institute|TII)",
    r"Vicuna",
    r"LMSYS(?: Org)?",
    r"Databricks",
    r"OLMo[\w.-]*",
    r"T[uü]lu(?:[- ]?\d)?",
    r"(?:Allen Institute for (?:AI|Artificial Intelligence)|Ai2|AI2)",
    r"Open\s?Assistant",
    r"LAION(?: e\.V\.)?",
    r"EleutherAI",
    r"Stable\s?LM[\w.-]*",
    r"Stability AI",
    r"Nemotron[\w.-]*",
    r"NVIDIA",
    r"Inflection(?: AI)?",
    r"Aleph Alpha",
    r"Teuken[\w.-]*",
)
"""Names that are hardly ever anything else."""
ALSO_WORDS = (
    r"o[134](?:-(?:mini|preview|pro))?",
    r"Gemini(?:[- ](?:\d[\w.]*|Pro|Flash|Ultra|Nano)\b)*",
    r"Bard",
    r"Google(?: DeepMind| AI| Brain)?",
    r"Meta(?: AI)?",
    r"Zephyr",
    r"(?:Microsoft(?: Copilot)?|Copilot|Bing(?: Chat)?|Sydney)",
    r"Aya",
    r"Coral",
    r"Yi(?:[- ]\d+B[\w-]*)?",
    r"Falcon(?:[- ]?\d[\w-]*)?",
    r"Alpaca",
    r"Koala",
    r"Dolly",
    r"Pythia[\w.-]*",
    r"Granite",
    r"IBM(?: Research)?",
    r"Nova(?: (?:Pro|Lite|Micro)\b)?",
    r"Titan",
    r"Amazon(?: Web Services)?",
    r"Pi",
    r"Alexa",
    r"Siri",
    r"Luminous",
    r"Apertus[\w.-]*",
    r"Hermes(?:[- ]?\d)?",
    r"Nous(?: Research)?",
)
"""Names that are ordinary words as well, or companies that texts are about."""
_ANY = "|".join((*NAMES, *ALSO_WORDS))
_NAME = re.compile(rf"(?<![\w-])(?:{_ANY})(?![\w-])", re.ASCII)
_INTRODUCTION = (
    r"I am|I['’]m|my name is|my name['’]s|call me|known as|this is|here is|(?:talking|chatting|"
    r"speaking) (?:to|with)|ich bin|mein Name ist|ich heiße|je suis|je m['’]appelle|mon nom est|"
    r"soy|me llamo|mi nombre es|sono|mi chiamo|eu sou|meu nome é"
)
_MAKING = r"made|created|trained|built|developed|designed|powered|released|maintained|fine-tuned"
_AI = re.compile(
    r"\b(?:AI|A\.I\.|artificial intelligence|language model|LLM|chat\s?bot|assistant|model|KI|"
    r"Sprachmodell|Assistent\w*|IA|modèle|modelo|modello)\b|人工智能|语言模型|助手|言語モデル|"
    r"アシスタント",
    re.IGNORECASE,
)
_OF_ITSELF = re.compile(
    rf"\b(?:{_INTRODUCTION}|I was|I['’]ve been|I have been|my (?:creators?|developers?|makers?|"
    r"training|model|knowledge)|me|as an? (?:AI|language|large)|you(?:['’]re| are) using|ich wurde|"
    r"als KI|j['’]ai été|fui)\b|我是|我叫|我由|私は",
    re.IGNORECASE,
)
# Without a word such as "model", only what can be nothing but the author's own name.
_OWN_NAME = re.compile(
    rf"(?P<start>\b(?i:{_INTRODUCTION})\s+(?:the )?)(?P<name>{_ANY})(?![\w-])(?! is\b)"
)
_OWN_MAKER = re.compile(
    rf"(?P<start>\b(?:I was|I['’]ve been|I have been|I am|I['’]m)\b[^.!?\n]{{0,40}}?"
    rf"\b(?:{_MAKING}) (?:and \w+ )?(?:by|at)\s+(?:the (?:team|people|folks|researchers) at )?)"
    rf"(?P<name>{_ANY})(?![\w-])"
)
_MADE_ME = re.compile(
    rf"(?P<start>)(?<![\w-])(?P<name>{_ANY})(?= (?:has |have )?(?:{_MAKING}|trains|calls) me\b)"
)
# A name that is not in the list, in a sentence that says that it is a model's.
_UNKNOWN = re.compile(
    rf"(?P<start>\b(?i:{_INTRODUCTION})\s+[\"“”*_]*)(?P<name>[A-Z][\w.\-]+)(?=[\s,.!\"”*_]|$)"
)
_SPEAKER = re.compile(rf"\A(?P<start>\s*[*_]*)(?P<name>{'|'.join(NAMES)})(?=[*_]*:)")
_SIGNATURE = re.compile(rf"(?P<start>\n\n[-–—~*_]+\s*)(?P<name>{_ANY})(?=[*_]*\s*\Z)")
_SENTENCE = re.compile(r".*?(?:[.!?](?=[\s\"')\]”’*_]|$)|[。！？]|\n|$)", re.DOTALL)
_NOT_NAMES = frozenset({"AI", "A", "An", "The", "LLM", "KI", "IA", "Ein", "Eine", "Un", "Une"})


def masked(text: str, *, source: str = "") -> str:
    """`text` without the names that its author gives itself; `source` is the author's own name."""
    if len(source) > 2:
        text = re.sub(rf"(?<!\w){re.escape(source)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    text = "".join(_masked_sentence(found.group()) for found in _SENTENCE.finditer(text))
    for of_the_author in (_SPEAKER, _SIGNATURE):
        text = of_the_author.sub(_without_name, text)
    return text


def _masked_sentence(sentence: str) -> str:
    if _OF_ITSELF.search(sentence) and _AI.search(sentence):
        return _UNKNOWN.sub(_without_name, _NAME.sub(MASK, sentence))
    for of_the_author in (_OWN_NAME, _OWN_MAKER, _MADE_ME):
        sentence = of_the_author.sub(_without_name, sentence)
    return sentence


def _without_name(found: re.Match[str]) -> str:
    return found.group() if found["name"] in _NOT_NAMES else found["start"] + MASK
