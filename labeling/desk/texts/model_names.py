"""Names of language models and of those who make them, as regular expressions. A family is what
gives a model away together: whoever is Claude was made by Anthropic. Pure.

In `names` are those that are hardly ever anything else, in `words` those that are ordinary words as
well, or companies that texts are about.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


FAMILIES = (
    Family(
        (
            r"Chat\s?GPT(?:[- ](?=[\w.]*\d)[\w.]+)?",
            r"GPT[- ]?\d(?:[\w.]{0,12}\w)?(?:[- ](?:turbo|mini|nano|omni))?",
            r"Open\s?AI",
        ),
        (r"o[134](?:-(?:mini|preview|pro))?",),
    ),
    Family(
        (
            r"Claude(?:[- ](?:\d(?:[\w.]{0,12}\w)?|Opus|Sonnet|Haiku|Instant)\b)*",
            r"Anthropic(?:,? PBC)?",
        )
    ),
    Family(
        (r"Gemma(?:[- ]?\d(?:[\w.]{0,12}\w)?)?", r"PaLM(?:[- ]?\d)?", r"LaMDA", r"DeepMind"),
        (
            r"Gemini(?:[- ](?:\d(?:[\w.]{0,12}\w)?|Pro|Flash|Ultra|Nano)\b)*",
            r"Bard",
            r"Google(?: DeepMind| AI| Brain)?",
        ),
    ),
    Family(
        (
            r"(?:Meta )?L[lL]a[mM][aA](?:[- ]?\d(?:[\w.]{0,12}\w)?)?(?:[- ](?:Chat|Instruct))?",
            r"Facebook(?: AI)?",
        ),
        (r"Meta(?: AI)?",),
    ),
    Family(
        (
            r"Le Chat",
            r"Mistral(?: AI)?(?:[- ](?:7B|Nemo|Large|Small|Medium|Instruct)\b)*",
            r"Mixtral[\w-]{0,40}",
        )
    ),
    Family(
        (
            r"Q[wW]en(?:[\w.-]{0,40}\w)?",
            r"QwQ(?:[\w.-]{0,40}\w)?",
            r"Tongyi(?: Qianwen)?",
            r"Alibaba(?: Cloud| Group)?",
        )
    ),
    Family((r"DeepSeek(?:[- ](?:AI|V\d(?:[\w.]{0,12}\w)?|R\d(?:[\w.]{0,12}\w)?|Chat|Coder)\b)*",)),
    Family((r"SmolLM(?:[\w.-]{0,40}\w)?", r"Hugging\s?Face(?:TB)?"), (r"Zephyr",)),
    Family(
        (r"Phi[- ]?\d(?:[\w.-]{0,40}\w)?",),
        (r"Microsoft(?: Copilot)?", r"Copilot", r"Bing(?: Chat)?", r"Sydney"),
    ),
    Family((r"Grok(?:[- ]?\d(?:[\w.]{0,12}\w)?)?", r"xAI")),
    Family((r"Command[- ][RA]\+?", r"Cohere"), (r"Aya", r"Coral")),
    Family((r"(?:Chat)?GLM(?:[\w.-]{0,40}\w)?", r"Zhipu(?: AI)?")),
    Family((r"Kimi(?:[- ]K\d(?:[\w.]{0,12}\w)?)?", r"Moonshot(?: AI)?")),
    Family((r"ERNIE(?: Bot)?", r"Baidu")),
    Family((r"01\.AI",), (r"Yi(?:[- ]\d+B[\w-]*)?",)),
    Family((r"Baichuan(?:[\w.-]{0,40}\w)?",)),
    Family((r"InternLM(?:[\w.-]{0,40}\w)?",)),
    Family((r"MiniMax",)),
    Family((r"Doubao", r"ByteDance")),
    Family((r"Tencent", r"Hunyuan")),
    Family((r"Technology Innovation Institute", r"TII"), (r"Falcon(?:[- ]?\d[\w-]*)?",)),
    Family((r"Vicuna", r"LMSYS(?: Org)?")),
    Family((r"Databricks", r"DBRX", r"MosaicML"), (r"Dolly",)),
    Family(
        (
            r"OLMo(?:[\w.-]{0,40}\w)?",
            r"T[uü]lu(?:[- ]?\d)?",
            r"Allen Institute for (?:AI|Artificial Intelligence)",
            r"A[iI]2",
        )
    ),
    Family((r"Open\s?Assistant", r"LAION(?: e\.V\.)?")),
    Family((r"EleutherAI",), (r"Pythia(?:[\w.-]{0,40}\w)?",)),
    Family((r"Stable\s?LM(?:[\w.-]{0,40}\w)?", r"Stability AI")),
    Family((r"Nemotron(?:[\w.-]{0,40}\w)?", r"NVIDIA")),
    Family((r"Inflection AI",), (r"Pi", r"Inflection")),
    Family((r"Aleph Alpha",), (r"Luminous",)),
    Family((r"Teuken(?:[\w.-]{0,40}\w)?",)),
    Family((r"AI21(?: Labs)?", r"Jamba(?:[\w.-]{0,40}\w)?")),
    Family((r"BLOOMZ?", r"BigScience")),
    Family((r"WizardLM(?:[\w.-]{0,40}\w)?",)),
    Family((r"EXAONE(?:[\w.-]{0,40}\w)?", r"LG AI(?: Research)?")),
    Family((r"HyperCLOVA(?: X)?", r"NAVER")),
    Family((r"Reka(?: AI)?",)),
    Family(words=(r"Granite", r"IBM(?: Research)?", r"Watson")),
    Family(
        words=(r"Nova(?: (?:Pro|Lite|Micro)\b)?", r"Titan", r"Amazon(?: Web Services)?", r"Alexa")
    ),
    Family(words=(r"Siri", r"Apple")),
    Family(words=(r"Alpaca",)),
    Family(words=(r"Koala",)),
    Family(words=(r"Apertus(?:[\w.-]{0,40}\w)?",)),
    Family(words=(r"Hermes(?:[- ]?\d)?", r"Nous(?: Research)?")),
    Family(words=(r"Perplexity(?: AI)?",)),
)
