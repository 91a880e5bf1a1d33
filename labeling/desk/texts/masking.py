"""Hides the names that a model gives itself, so that raters stay blind. Only what is shown is
masked: the stored answer is not. Pure.

A name is hidden where the text speaks of its author ("I am Qwen, made by Alibaba"), and left where
it is the topic ("Qwen was released in 2023"), in any language that self_reference.py knows. Once an
answer has said who it is, that name and those of its family (its maker, its other versions) are
hidden in all of it. The names of the campaign's own sources are hidden everywhere.
"""

import re
from collections.abc import Iterable

from labeling.desk.texts import self_reference
from labeling.desk.texts.model_names import FAMILIES

MASK = "[name hidden]"


def _either(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


# As in Llama-3-8B-Instruct.
_VERSION = r"(?:-(?=[\w.-]*\d)[\w.-]*\w)?"
_NAMES = _either(name for family in FAMILIES for name in family.names)
_NAMES = rf"(?i:{_NAMES}){_VERSION}"
# In a text that speaks of itself, names are names in any case; other words only as written.
_WORDS = _either(name for family in FAMILIES for name in family.words)
_ANY = rf"(?:{_NAMES}|(?:{_WORDS}){_VERSION})"
_FAMILY_NAMES = [
    (re.compile(_either((*family.names, *family.words)), re.IGNORECASE), family.names)
    for family in FAMILIES
]
_NOT_IN_A_WORD, _ENDS = r"(?<![\w-])", r"(?![\w-])"
_NAME = re.compile(rf"{_NOT_IN_A_WORD}(?P<start>)(?P<name>{_ANY}){_ENDS}", re.ASCII)
_HARDLY_ELSE = re.compile(rf"{_NOT_IN_A_WORD}(?P<start>)(?P<name>{_NAMES}){_ENDS}", re.ASCII)
# What may stand around a name: "**Claude**", “Claude”, the Claude.
_OPENS = r"[\"“”„'*_`]{0,4}(?:(?i:the|el|le|la|der|die|das|il|o) )?[\"“”„'*_`]{0,4}"

# --- who speaks -----------------------------------------------------------------------------------

_INTRODUCTION = (
    r"I am|I['’]m|I am called|I['’]m called|my (?:\w{1,30} )?name is|my name['’]s|the name['’]s|"
    r"you(?:['’]ve| have) reached|greetings from|"
    r"call me|know me as|refer to me as|known as|I go by|I answer to|(?:talking|chatting|speaking) "
    r"(?:to|with)|ich bin|mein Name ist|ich heiße|man nennt mich|je suis|je m['’]appelle|"
    r"mon nom est|soy|me llamo|mi nombre es|sono|mi chiamo|il mio nome è|eu sou|sou o|me chamo|"
    r"meu nome é|ici|hier ist|hier spricht|aquí|qui è|меня зовут|я"
)
_MAKING = (
    r"made|created|trained|built|developed|designed|powered|released|maintained|fine-tuned|"
    r"programmed|provided|hosted"
)
_HAVING_MADE = (
    # What makes a model and hardly ever a person; "made me" only with what follows.
    r"(?:created|trained|built|developed|designed|programmed|fine-tuned|trains|calls) me\b"
    r"(?! (?:well|on the job|as a|for the job))|"
    r"made me(?= to (?:be|help|assist|answer)\b|[.,;:!]|$)"
)
_MADE_ABROAD = (
    r"entwickelt|trainiert|erschaffen|erstellt|programmiert|créée?|développée?|entraînée?|conçue?|"
    r"cread[oa]|desarrollad[oa]|entrenad[oa]|creat[oa]|sviluppat[oa]|addestrat[oa]|criad[oa]|"
    r"desenvolvid[oa]|treinad[oa]|开发|训练|创建|创造|研发|開発|作られ"
)
_ABROAD = re.compile(
    r"\b(?:ich|mich|mir|je|moi|j['’]\w{1,30}|soy|fui|he sido|sono|io|sou|eu)\b|我|私|僕",
    re.IGNORECASE,
)
_AI = re.compile(
    r"\b(?:AI|A\.I\.|artificial intelligence|language model|LLM|chat\s?bot|KI|Sprachmodell|IA|"
    r"modèle|modelo|modello|asistente|assistente|assistant virtuel|assistant (?:by|from|called|"
    r"named|made|created|built|trained|developed)|model (?:by|of|from|called|named|made|created|"
    r"built|trained|developed)|Assistent von)\b|人工智能|语言模型|助手|言語モデル|アシスタント",
    re.IGNORECASE,
)
_OF_ITSELF = re.compile(
    rf"\b(?:{_INTRODUCTION}|this is|here is|I was|I['’]ve been|I have been|my model|my training|"
    r"my knowledge|me|you(?:['’]re| are) using|ich wurde|als KI|j['’]ai été|fui|"
    r"as an? (?:AI|language|large)\b(?=.{0,200}\b(?:I|me|my|mine|your)\b))\b|我是|我叫|我由|私は",
    re.IGNORECASE | re.DOTALL,
)
# A sentence with one of these is about its author, whatever else it says.
_CERTAIN = re.compile(
    rf"\b(?i:{_HAVING_MADE}|my (?:\w{{1,30}} )?(?:creators?|developers?|makers?|trainers?|"
    r"designers?|parent company|training data|(?:training|knowledge) cut-?off|weights|parameters|"
    r"architecture|system prompt|(?:underlying|base|own|language) model)|"
    r"(?:I am|I['’]m|I) (?:just |only |simply |technically |actually )?(?:an? |the )?[\w\- ]{0,30}"
    r"(?:version|instance|variant|member|copy|checkpoint|descendant|derivative|flavou?r|fine-tune|"
    r"edition|one|part) of|(?:who|what) (?:I am|am I)\b|"
    r"(?:model|assistant) (?:that )?you are using|"
    r"(?:model|assistant|chat\s?bot|AI|bot|LLM|system) (?:that |which |who )?you(?: are|['’]re) "
    r"(?:now |currently )?(?:chatting|talking|speaking|interacting|working|conversing|dealing)\b|"
    r"(?:model|assistant|AI|LLM) (?:behind|powering|answering|generating|writing) "
    r"(?:this|these|you)\b|"
    r"being an? [\w-]{1,30} (?:of|by|from)\b(?=[^.!?\n]{0,120}\b(?:I|I['’]m|my|me)\b)|"
    r"as an? (?:[\w-]{1,30} ){0,4}(?:model|assistant|chat\s?bot|AI|LLM),? "
    rf"(?:(?:{_MAKING}) by|by|from|of)\b"
    r"(?=[^.!?\n]{0,120}\b(?:I|I['’]m|my|me)\b))"
)

_TO_ME = (
    "about ask asked asks at believe bought bring brings brought call called calls cost costs "
    "excuse for from give given gives helped helps including lend lent let lets like on owes "
    "paid reminds send sends sent show showed shows tell tells than to told with write writes wrote"
)
_NOT_AFTER = "(?i:" + "".join(rf"(?<!\b{word} )" for word in _TO_ME.split()) + ")"
_GROUP = (
    r"(?:labs?|engineers|researchers|team|people|folks|scientists|servers|family|minds) "
    r"(?:at|of|behind|from)"
)
# A sentence with one of these speaks of its author to all appearance: names that are hardly ever
# anything else are hidden.
_LIKELY = re.compile(
    rf"(?:{_NAMES})(?:['’]s? (?:[\w-]{{1,30}} )?(?:polic(?:y|ies)|guidelines?|guidance|terms|rules|"
    r"servers|constitution|values)\b(?=[^.!?\n]{0,120}\b(?:I|me|my)\b)| "
    r"(?:has |have |had |does |do |did |will )?"
    r"(?:n[o']t |never )?(?:\w{1,30} )?(?:given|gave|give|taught|teach|allow(?:ed|s)?|"
    r"permit(?:ted|s)?|lets?|wants?|asked|asks?|instruct(?:ed|s)?|equip(?:ped|s)?|require[ds]?|forbids?|"
    r"prevent(?:ed|s)?|intend(?:ed|s)?) "
    r"me\b)|"
    rf"\b(?i:my (?:knowledge|training|instructions)\b(?=[^.!?\n]{{0,120}}\b(?:from|by|of)\b))|"
    rf"\b(?i:I was|I am|I['’]m) (?:{_MAKING})\b[^.!?\n]{{0,120}}\bby (?:{_NAMES})|"
    rf"\b(?i:we at|my (?:provider|host|company|maker|family|team) (?:at|is)) (?:{_NAMES})|"
    # "OpenAI launched me", "the people behind me are at OpenAI", but not "ask me about OpenAI".
    rf"{_NOT_AFTER}\bme\b(?! and\b)|"
    rf"(?i:{_GROUP}) (?:{_NAMES})(?=[^.!?\n]{{0,120}}\b(?:I|me|my)\b)|"
    r"\b(?:I|me|my)\b[^.!?\n]{0,120}"
    rf"(?i:{_GROUP}) (?:\w{{1,30}} )?(?:{_NAMES})"
)

# --- a name that can be nothing but the author's --------------------------------------------------

_PEOPLE = (
    r"friends?|neighbou?rs?|boss|managers?|colleagues?|brothers?|sisters?|husband|wife|father|"
    r"mother|sons?|daughters?|uncle|aunt|cousins?|cat|dog|teacher|guide|doctor|partner|favou?rite|employer|"
    r"client|first job|last job|phone|browser"
)
_OWN = (
    # "I am Qwen", "I'm not ChatGPT", but not "I am Google certified".
    re.compile(
        rf"(?P<start>\b(?i:{_INTRODUCTION})\s{{1,3}}"
        rf"(?:(?i:not|just|also|only|still|\w{{1,30}}ly) )?{_OPENS})"
        rf"(?P<name>{_ANY}){_ENDS}(?!['’]s\b)(?! (?:is|certified|user|customer)\b)"
    ),
    re.compile(
        rf"(?P<start>\b(?i:this (?:conversation|response|answer|chat|message|reply|text|assistant|"
        r"session|bot) (?:is|was|comes|came)\b[^.!?\n]{0,30}\b(?:with|by|from|of)|"
        r"thanks? (?:you )?for (?:choosing|using|trying|asking|chatting with|talking to)|"
        rf"under the hood I \w{{1,30}}|brought to you by) {_OPENS})"
        rf"(?P<name>{_ANY}){_ENDS}(?! (?:Maps|Docs|account))"
    ),
    # "My owner, Microsoft, …", "my maker is OpenAI", but not "my friend, Claude".
    re.compile(
        rf"(?P<start>\b(?i:my) (?!(?i:{_PEOPLE})\b)[\w-]{{1,30}} (?:is|was) {_OPENS})"
        rf"(?P<name>{_ANY}){_ENDS}(?! (?:Maps|Docs|account|Pixel))"
    ),
    re.compile(
        rf"(?P<start>\b(?i:my) (?!(?i:{_PEOPLE})\b)[\w-]{{1,30}}, {_OPENS})"
        rf"(?P<name>{_ANY})(?=[*_]{{0,3}}[,.])"
    ),
    re.compile(
        rf"(?P<start>(?:我是|我叫|私は|저는|わたしは)\s{{0,3}})(?P<name>{_ANY}){_ENDS}", re.ASCII
    ),
    re.compile(
        rf"(?P<start>\b(?:I am|I['’]m) an? )(?P<name>{_ANY})(?= (?:\w{{1,30}} )?(?:model|assistant|"
        r"AI|LLM|language|chat\s?bot|bot|product|creation)\b)"
    ),
    re.compile(
        rf"(?P<start>\b(?i:this is|here is)\s{{1,3}}{_OPENS})(?P<name>{_ANY}){_ENDS}"
        r"(?=[\"“”*_]{0,3}(?:\s{0,3}[.!]?\s{0,3}\Z|[.!] |,? (?i:speaking|here\b|at your|"
        r"reporting|your|from|by|and I\b)))"
    ),
    re.compile(
        rf"(?P<start>(?:\A|[.!?,:\n]\s{{0,3}}|\b(?i:hello|hi|hey|there) ){_OPENS})(?P<name>{_ANY})"
        r"(?=(?:['’]s (?i:model|assistant|AI|chat\s?bot))?[*_\"“”]{0,3},? "
        r"(?i:here|speaking|at your service)\b[\"“”]?(?:[.,!:;]|\s{0,3}\Z))"
    ),
    re.compile(
        rf"(?P<start>\b(?i:as|being) {_OPENS})(?P<name>{_ANY})"
        r"(?=[*_]{0,3},?(?: an? [^.!?\n]{1,60},)? (?:I|I['’]\w{1,30}|my)\b)"
    ),
    re.compile(
        rf"(?P<start>\bI(?:,| \() ?(?:an? )?{_OPENS})(?P<name>{_ANY})"
        r"(?=[*_]{0,3}(?: \w{1,30})?[,)])"
    ),
    # "I was made by Google", "I was built on top of Mistral".
    re.compile(
        rf"(?P<start>\b(?i:I was|I['’]ve been|I have been|I am|I['’]m)\b[^.!?\n]{{0,60}}?"
        rf"\b(?:{_MAKING}) (?:and \w{{1,30}} )?(?:by|at|on top of|on|with|using|from)\s{{1,3}}"
        rf"(?:the )?(?:(?:team|people|folks|researchers|engineers) (?:at|of|from) )?"
        rf"{_OPENS})(?P<name>{_ANY}){_ENDS}"
    ),
    re.compile(
        rf"(?P<start>\b(?:I|me) (?:(?:am |was )?(?:based|fine-tuned) (?:up)?on|run on|"
        rf"live (?:in|on)|come from|belong to|am part of|am hosted (?:by|on)|am a product of)"
        rf"(?: top of)?\s{{1,3}}"
        rf"(?:(?:the|a) )?{_OPENS})(?P<name>{_ANY}){_ENDS}(?! certified)"
    ),
    re.compile(rf"(?P<start>\b(?:I['’]m|I am) from )(?P<name>{_NAMES}){_ENDS}"),
    re.compile(
        rf"(?P<start>){_NOT_IN_A_WORD}(?P<name>{_ANY})"
        rf"(?= (?:has |have )?(?:(?:not )?taught me\b|{_HAVING_MADE}))"
    ),
    # "Anthropic: ", or a letter's end.
    re.compile(rf"\A(?P<start>\s{{0,3}}[*_]{{0,3}})(?P<name>{_NAMES})(?=[*_]{{0,3}}:)"),
    re.compile(
        rf"(?P<start>\n\n[-–—~*_]{{1,3}}\s{{0,3}})(?P<name>{_ANY})(?=[*_]{{0,3}}\s{{0,3}}\Z)"
    ),
    re.compile(
        r"(?P<start>(?:\A|\n)\s{0,3}(?i:signed)[,:] ?)"
        rf"(?P<name>{_ANY})(?=[*_.]{{0,3}}\s{{0,3}}\Z)"
    ),
    re.compile(
        r"(?P<start>\b(?i:yours(?: \w{1,30})?|\w{1,30} regards|regards|sincerely|cheers|"
        r"best(?: wishes)?|love|faithfully|truly),?\s{0,3}\n{1,3}\s{0,3}[-–—~*_]{0,3}\s{0,3})"
        rf"(?P<name>{_NAMES})(?=[*_]{{0,3}}\s{{0,3}}\Z)"
    ),
)
_OWN_FIELD = re.compile(
    rf"^(?P<start>[-*•\t ]{{0,8}}(?i:name|model|model name|assistant)[*_]{{0,3}}:[*_]{{0,3}} *)"
    rf"(?P<name>{_NAMES})(?=[*_]{{0,3}}\s{{0,3}}$)",
    re.MULTILINE,
)
# A name that is not in the list, in a sentence that says that it is a model's.
_UNKNOWN = re.compile(
    rf"(?P<start>\b(?i:{_INTRODUCTION}|this is|here is)\s{{1,3}}[\"“”*_]{{0,3}})"
    r"(?P<name>[A-Z][\w.\-]{0,40}\w)(?=[\s,.!\"”*_]|$)"
)
_SENTENCE = re.compile(
    r".{0,1000}?(?:[.!?](?=[\s\"')\]”’*_]|\Z)|[。！？]|\n|\Z)|.{1000}", re.DOTALL
)
_MY_NAME = re.compile(
    rf"(?P<start>\b(?i:my name)\? (?i:it is|it['’]s) {_OPENS})(?P<name>[A-Z][\w.\-]*\w)"
)
_NOT_NAMES = frozenset({"AI", "A", "An", "The", "LLM", "KI", "IA", "Ein", "Eine", "Un", "Une"})


def masked(text: str, *, source: str = "", names: Iterable[str] = ()) -> str:
    """`text` without the names that its author gives itself; `source` is the author's own name, and
    `names` are those of any source that may be the author. They are hidden wherever they stand.
    """
    own = sorted({name for name in (source, *names) if len(name) > 2}, key=len, reverse=True)
    if own:
        either = _either(re.escape(name) for name in own)
        text = re.sub(rf"(?<![A-Za-z0-9_])(?:{either})(?![A-Za-z0-9_])", MASK, text, flags=re.I)
    hidden: set[str] = set()
    text = _hide(_MY_NAME, text, hidden)
    for of_the_author in (self_reference.INTRODUCED, self_reference.NAMED_FIRST, *_OWN):
        text = _hide(of_the_author, text, hidden)
    if len(_OWN_FIELD.findall(text)) == 1:  # with several it is a list of models
        text = _hide(_OWN_FIELD, text, hidden)
    text = "".join(_masked_sentence(match.group(), hidden) for match in _SENTENCE.finditer(text))
    return _everywhere(text, hidden)


def _again(name: str) -> str:
    """An ordinary word as it was written; what is written like a name in any case."""
    escaped = re.escape(name)
    return escaped if name.islower() else rf"(?i:{escaped})" if len(name) > 6 else escaped


def _everywhere(text: str, hidden: set[str]) -> str:
    """Hides what the author has called itself wherever it stands, and the rest of its family."""
    patterns = {_again(name) for name in hidden}
    for of_family, names in _FAMILY_NAMES:
        if any(of_family.fullmatch(name) for name in hidden):
            patterns.update(rf"(?i:{name})" for name in names)
    if not patterns:
        return text
    return re.sub(
        rf"(?<![\w-])(?:{_either(sorted(patterns))})(?![\w-])", MASK, text, flags=re.ASCII
    )


def _hide(pattern: re.Pattern[str], text: str, hidden: set[str]) -> str:
    def mask(match: re.Match[str]) -> str:
        if match["name"] in _NOT_NAMES:
            return match.group()
        hidden.add(match["name"])
        return match["start"] + MASK

    return pattern.sub(mask, text)


def _masked_sentence(sentence: str, hidden: set[str]) -> str:
    if self_reference.is_about_itself(sentence):
        sentence = _hide(self_reference.ANY_NAME, sentence, hidden)
    if _CERTAIN.search(sentence):
        return _hide(_NAME, sentence, hidden)
    if _LIKELY.search(sentence):
        sentence = _hide(_HARDLY_ELSE, sentence, hidden)
    if _ABROAD.search(sentence) and re.search(_MADE_ABROAD, sentence):
        return _hide(_NAME, sentence, hidden)
    is_of_a_model = _AI.search(sentence)
    if _OF_ITSELF.search(sentence) and (is_of_a_model or MASK in sentence):
        sentence = _hide(_NAME, sentence, hidden)
        return _hide(_UNKNOWN, sentence, hidden) if is_of_a_model else sentence
    return sentence
