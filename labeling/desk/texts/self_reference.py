"""How texts in many languages say who they are and who made them: the words for I, the verbs for
making, and a model's name in scripts other than Latin. Pure.

labeling.desk.texts.masking asks these beside its own finer patterns for English.
"""

import re

from labeling.desk.texts.model_names import FAMILIES

OTHER_SCRIPTS = (
    # Chinese
    r"通义千问|通義千問|千问|通义|阿里云|阿里巴巴|深度求索|文心一言|百度|豆包|字节跳动|"
    r"腾讯(?:混元)?|混元|智谱(?:清言|AI)?|"
    r"清言|月之暗面|讯飞星火|科大讯飞|商汤|百川智能|零一万物|阶跃星辰|克劳德|谷歌|微软|"
    # Cyrillic
    r"ЧатГПТ|Клод(?:а|у|ом|е)?|Антропик(?:а|ом)?|Джемин[аи]й?|Гугл(?:а|ом|е)?|"
    r"Яндекс(?:а|ом|у|е)?|ЯндексГПТ|"
    r"ГигаЧат(?:а|ом)?|Сбер(?:банк)?(?:а|ом)?|Квен|Дипсик|Мистраль|Майкрософт|"
    # Japanese, Korean
    r"チャットGPT|オープンAI|クロード|アンソロピック|ジェミニ|グーグル|マイクロソフト|"
    r"ディープシーク|"
    r"챗\s?GPT|챗지피티|오픈\s?AI|오픈에이아이|클로드|앤트로픽|앤스로픽|제미나이|구글|네이버|"
    r"하이퍼클로바|딥시크|"
    # Devanagari, Arabic, Hebrew
    r"चैटजीपीटी|ओपनएआई|क्लॉड|एंथ्रोपिक|जेमिनी|गूगल|"
    r"شات جي بي تي|تشات جي بي تي|أوبن إيه آي|كلود|أنثروبيك|جيميني|جوجل|غوغل|ديب سيك|"
    r"צ'אט GPT|קלוד|אנתרופיק|ג'מיני|גוגל"
)
_LATIN = "|".join(name for family in FAMILIES for name in (*family.names, *family.words))
MORE = (
    r"YandexGPT(?:[ -]?\d[\w.]*)?|Yandex|GigaChat|Sber(?:bank)?|Bielik|SpeakLeash|GPT[ -]?NL|"
    r"Saiga|Vikhr|"
    r"Sabi[aá]-?\d?|Maritaca(?: AI)?|Velvet|Minerva|Cerbero|Sarvam(?: AI)?|Krutrim|SEA-?LION|"
    r"Typhoon|"
    r"PhoGPT|Jais|Falcon"
)
NAME = rf"(?:(?i:{_LATIN}|{MORE})|{OTHER_SCRIPTS})"
"""Used only where a text speaks of itself, so in any case and with any ending."""

_I = (
    # Without words that are common in another language, such as me, min, som and eu.
    r"ik|ek|mij|mijn|jag|jeg|mig|mitt|ég|minä|minut|olen|nimeni|beni|benim|adım|mən|"
    r"\w{1,20}(?:iyim|ıyım|uyum|üyüm)|"
    r"jestem|mnie|mój|moim|nazywam|jsem|mě|jmenuji|volám|ja (?:sam|jestem)|jaz|mene|zovem|"
    r"vagyok|én|engem|nevem|"
    r"(?:eu )?sunt (?:un|o)|numele meu|m-a|aš|esu|mani|esmu|"
    r"tôi|mình|saya|aku|ako|akong|mimi|nimeundwa|nilitengenezwa|sóc|naiz|unë|mi estas|"
    r"sono|soy|fui|sou|je|j['’]ai|ich|mich|mi (?:nombre|creador\w{0,2})|"
    r"me (?:llamo|chamo|cre[oó]\w{0,4}|entren\w{1,5}|desarroll\w{1,5}|treinou|criou|desenvolveu)|"
    r"я|меня|мене|мой|моё|аз|съм|јас|είμαι|εγώ|λένε|με (?:ανέπτυξ|δημιούργησ|εκπαίδευσ)\w{1,5}"
)
_I_INSIDE = (
    # Scripts whose words are not set apart, or end in a sign that is no letter for \b.
    r"我|本模型|本助手|私|わたし|僕|ボク|俺|저는|제가|저를|나는|제 이름|मैं|मुझे|मेरा|आमि|আমি|"
    r"আমাকে|আমার|நான்|என்னை|నేను|నన్ను|"
    r"ഞാൻ|ನಾನು|હું|ਮੈਂ|میں|مجھے|ผม|ฉัน|ดิฉัน|أنا|اسمي|تم تطويري|طورتني|دربتني|أنني|إنني|"
    r"هستم|اسم من|אני|אותי|שמי|მე|ես"
)
_MADE = (
    r"gemaakt|ontwikkeld|getraind|gebouwd|gecreëerd|skapa[dts]|skapats|utveckla[dts]|utvecklats|"
    r"trän(?:ad|ats)|"
    r"laget|utviklet|lavet|udviklet|trænet|trent|tehnyt|kehittä\w{1,6}|luonut|luoma|kouluttama|"
    r"loonud|arenda\w{1,5}|"
    r"geliştir\w{1,12}|yarat\w{1,10}|eğit\w{1,12}|yapıl\w{1,8}|üret\w{1,8}|"
    r"stworz\w{1,6}|opracowan\w{1,3}|wytrenowan\w{1,3}|zbudowan\w{1,3}|vyvinut\w{0,3}|"
    r"vytvoř\w{1,4}|natrénov\w{1,4}|"
    r"vytvoren\w{0,3}|vyvinul\w{0,2}|razvi\w{1,5}|stvori\w{1,4}|izradi\w{1,4}|ustvari\w{1,4}|"
    r"fejleszt\w{1,8}|"
    r"készít\w{1,6}|alkot\w{1,6}|hozott létre|creat\w{0,3}|dezvoltat\w{0,2}|antrenat\w{0,2}|"
    r"sukūr\w{1,4}|izstrādā\w{1,4}|"
    r"tạo ra|được tạo|phát triển|huấn luyện|đào tạo|xây dựng|dibuat|dikembangkan|dilatih|"
    r"diciptakan|dibangunkan|"
    r"ginawa|binuo|nilikha|imetengenezwa|\w{0,6}undwa|\w{0,6}tengenezwa|desenvolupa\w{1,3}|"
    r"entwickelt|trainiert|erschaffen|erstellt|gebaut|gemacht|créée?|développée?|entraînée?|"
    r"conçue?|"
    r"cread[oa]|desarrollad[oa]|entrenad[oa]|hecho|sviluppat[oa]|addestrat[oa]|criad[oa]|"
    r"desenvolvid[oa]|treinad[oa]|"
    r"созда\w{1,6}|разработ\w{1,8}|обуч\w{1,6}|сделан\w{0,4}|створ\w{1,6}|розроб\w{1,8}|"
    r"навч\w{1,6}|създа\w{1,6}|разви\w{1,6}|"
    r"δημιουργ\w{1,10}|ανέπτυξ\w{1,4}|αναπτύχθ\w{1,4}|εκπαιδε\w{1,8}|φτιά\w{1,6}"
)
_MADE_INSIDE = (
    r"开发|開發|训练|訓練|创建|创造|研发|推出|打造|旗下|開発|作られ|作成|学習|"
    r"만든|만들어|개발|훈련|학습|बनाया|विकसित|प्रशिक्षित|তৈরি|বিকশিত|உருவாக்க|అభివృద్ధి|พัฒนา|สร้าง|"
    r"تطوير|طور|تدريب|إنشا|صنع|توسعه|ساخت|تیار|بنایا|פותח|נוצר|פיתח|אומן"
)
_OF_KIND = (
    r"taalmodel|AI|A\.I\.|KI|IA|YZ|ИИ|ШІ|språkmodell?|sprogmodel|kielimalli|tekoäly|keelemudel|"
    r"dil modeli|yapay zek[âa]|"
    r"model (?:językowy|limbaj|bahasa)|jazykový model|jezični model|nyelvi modell|mesterséges|"
    r"asystent|asistent\w{0,2}|"
    r"assistent\w{0,2}|asistan\w{0,3}|mô hình|trợ lý|asisten|kecerdasan|bahasa besar|modelo|"
    r"modello|modèle|Sprachmodell|"
    r"язык\w{1,5}|нейросет\w{1,3}|ассистент|помощник|модел\w{1,3}|помічник|μοντέλο|βοηθός|"
    r"chat\s?bot|LLM"
)
_KIND_INSIDE = (
    r"人工智能|人工智慧|语言模型|語言模型|大模型|助手|助理|言語モデル|アシスタント|언어 모델|"
    r"인공지능|어시스턴트|모델|मॉडल|सहायक|"
    r"এআই|মডেল|மாதிரி|โมเดล|ผู้ช่วย|نموذج|مساعد|مدل|دستیار|מודל|עוזר"
)
FIRST = re.compile(rf"\b(?i:{_I})\b|{_I_INSIDE}")
MADE = re.compile(rf"\b(?i:{_MADE})\b|{_MADE_INSIDE}")
KIND = re.compile(rf"\b(?i:{_OF_KIND})\b|{_KIND_INSIDE}")
ANY_NAME = re.compile(rf"(?<![A-Za-z0-9_-])(?P<start>)(?P<name>{NAME})")
# "Ik ben Claude", "Jag heter ChatGPT", "Mijn naam is …", "저는 …": the name follows at once.
_INTRO = (
    r"ik ben|ik heet|mijn naam is|ek is|my naam is|jag är|jag heter|mitt namn är|jeg er|"
    r"jeg heter|jeg hedder|"
    r"mit navn er|navnet mitt er|ég er|ég heiti|minä olen|olen|nimeni on|ma olen|minu nimi on|"
    r"ben|benim adım|adım|"
    r"jestem|nazywam się|mam na imię|moje imię to|jsem|jmenuji se|som|volám sa|ja sam|zovem se|"
    r"jaz sem|"
    r"én vagyok|vagyok|a nevem|nevem|sunt|eu sunt|numele meu este|mă numesc|aš esu|es esmu|"
    r"tôi là|tên tôi là|"
    r"mình là|tôi tên là|saya adalah|saya ialah|saya|nama saya(?: adalah| ialah)?|aku adalah|"
    r"aku|ako si|ako ay si|"
    r"ang pangalan ko ay|mimi ni|jina langu ni|sóc(?: en)?|em dic|nomeno mia estas|mi estas|"
    r"ich bin|ich heiße|je suis|je m['’]appelle|soy|me llamo|sono|mi chiamo|eu sou|sou(?: o)?|"
    r"me chamo|"
    r"я(?: —| -| –|, )?|меня зовут|мене звати|моє ім['’]я|моё имя|аз съм|казвам се|"
    r"είμαι(?: ο| η| το)?|με λένε|"
    r"ονομάζομαι|i am|i['’]m|my name is|call me"
)
_INTRO_INSIDE = (
    r"我是|我叫|我的名字是|本人是|私は|わたしは|僕は|私の名前は|저는|나는|제 이름은|मैं|"
    r"मेरा नाम|আমি|আমার নাম|"
    r"நான்|నేను|ผมคือ|ฉันคือ|ดิฉันคือ|ผมชื่อ|ฉันชื่อ|أنا|اسمي|اسم من|نام من|אני|שמי|میں|میرا نام"
)
INTRODUCED = re.compile(
    rf"(?P<start>(?:\b(?i:{_INTRO})|{_INTRO_INSIDE})[\s:,]{{0,3}}[\"“”„«'*_]{{0,4}})"
    rf"(?P<name>{NAME})(?![A-Za-z]{{4}})(?! (?:user|customer|certified|is)\b)(?!['’]s\b)"
)
# The verb comes last.
NAMED_FIRST = re.compile(rf"(?P<start>)(?P<name>{NAME})(?= ?(?:هستم|हूँ|हूं))")


def is_about_itself(sentence: str) -> bool:
    """Whether a sentence in a language other than English says I, and says who made it or that it
    is a model.
    """
    if not FIRST.search(sentence):
        return False
    return bool(MADE.search(sentence) or KIND.search(sentence))
