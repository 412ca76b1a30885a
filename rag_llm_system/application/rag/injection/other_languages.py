"""The signals of sentences that are not English. Patterns are of folded text: without accents, in lower case."""

from rag_llm_system.application.rag.injection.signal import SEPARATOR as _S
from rag_llm_system.application.rag.injection.signal import Signal
from rag_llm_system.application.rag.injection.signal import gap as _gap
from rag_llm_system.application.rag.injection.signal import words as _words
from rag_llm_system.application.rag.injection.views import folded

_RUSSIAN_DROP = "|".join(map(folded, ("игнорируй", "игнорируйте", "забудь", "забудьте")))
_RUSSIAN_ORDERS = "|".join(map(folded, ("инструкци", "указани", "правила", "команды", "промпт")))

IN_OTHER_LANGUAGES: tuple[Signal, ...] = (
    Signal(
        "override (German)", 4.0, "the same in German",
        rf"\b(?:ignorier\w{{0,3}}|missacht\w{{0,3}}|vergiss|vergessen sie|vergesst|verwirf|verwerfen sie"
        rf"|ubergeh\w{{0,3}}|befolge nicht){_S}{_gap(4)}(?:\w{{0,12}}anweisung\w{{0,3}}|instruktion\w{{0,3}}"
        rf"|befehle?n?|regeln?|vorgaben?|\w{{0,6}}prompts?"
        r"|richtlinien?|anordnung\w{0,2}|alles)\b",
        _words("ignoriere ignorieren ignoriert ignorier missachte missachten vergiss vergessen vergesst verwirf"
               " verwerfen ubergehe ubergehen befolge"),
    ),
    Signal(
        "say (German)", 2.0, "dictates an answer in German",
        r"\b(?:antworte\w{0,2}|schreib\w{0,3}|sage?n?|gib|geben sie|beginne\w?)\b[^.!?\n]{0,40}?(?:nur"
        r"|ausschliesslich|immer|stattdessen|genau|mit|dass du|dem nutzer|dem benutzer)\b|\bdu bist (?:jetzt|nun"
        r"|ab)\b|\bab (?:jetzt|sofort) (?:bist|antwort\w{0,3})\b",
        _words("antworte antworten antwortet schreibe schreib schreiben sage sag sagen gib geben beginne beginnen"
               " bist"),
    ),
    Signal(
        "override (French)", 4.0, "the same in French",
        rf"\b(?:ignor(?:e|ez|er|ons)|oubli(?:e|ez|er)|ne (?:tiens?|tenez) pas compte|fai(?:s|tes) abstraction"
        rf"|meprise[zr]?|neglige[zr]?){_S}{_gap(1)}(?:toute?s?|tous|les|vos|tes|ces|votre|mes|de"
        rf"|des){_S}{_gap(4)}(?:instructions?|consignes?|regles?|directives?|ordres?|prompts?|indications?"
        rf"|tout ce qui precede)\b",
        _words("ignore ignorez ignorer ignorons oublie oubliez oublier compte abstraction meprise meprisez"
               " neglige negligez"),
    ),
    Signal(
        "say (French)", 2.0, "dictates an answer in French",
        r"\b(?:repond(?:s|ez|re)|dis|dites|ecri(?:s|vez)|affiche[zr]?|commence[zr]?)\b[^.!?\n]{0,40}?(?:uniquement"
        r"|seulement|toujours|par|exactement|que|rien d\Wautre)\b|\b(?:tu es|vous etes) (?:maintenant|desormais)\b"
        r"|\ba partir de maintenant\b",
        _words("reponds repondez repondre dis dites ecris ecrivez affiche affichez afficher commence commencez es"
               " etes partir"),
    ),
    Signal(
        "override (Spanish)", 4.0, "the same in Spanish, Portuguese and Italian",
        rf"\b(?:ignor(?:a|e|en|ad|ar)|olvid(?:a|e|en|ar)|descart(?:a|e)|no (?:sigas|hagas caso)|ha(?:z"
        rf"|ga) caso omiso|desestim(?:a|e)|desconsider[ae]|esqueca|dimentica\w{{0,2}}"
        rf"|trascura){_S}{_gap(1)}(?:tod[oa]s?|las?|los|tus?|sus?|suas|as|os|estas?|tutte|tutti|le"
        rf"|gli){_S}{_gap(4)}(?:instruc\w{{2,8}}|indicacion\w{{0,2}}|reglas?|regras?|orden"
        r"(?:es)?|ordens?|directric?e?s?|consignas?|istruzion[ei]|regol[ae]|direttiv[ae]|prompts?)\b",
        _words("ignora ignore ignoren ignorad ignorar olvida olvide olviden olvidar descarta descarte sigas hagas"
               " haz haga desestima desestime desconsidere desconsidera esqueca dimentica dimenticate trascura"),
    ),
    Signal(
        "say (Spanish)", 2.0, "dictates an answer in Spanish, Portuguese or Italian",
        r"\b(?:responde|responda|contesta|di|diga|escribe|escriba|escreva|rispondi|scrivi)\b[^.!?\n]{0,40}?(?:solo"
        r"|solamente|unicamente|siempre|sempre|con|com|exactamente|apenas|que|soltanto)\b|\bahora eres\b"
        r"|\ba partir de ahora\b|\bagora voce e\b",
        _words("responde responda contesta di diga escribe escriba escreva rispondi scrivi eres partir voce"),
    ),
    Signal(
        "override (other scripts)", 4.0, "the same in Russian, Chinese, Japanese or Korean",
        rf"\b(?:{_RUSSIAN_DROP}){_S}{_gap(4)}(?:{_RUSSIAN_ORDERS})"
        r"|(?:忽略|无视|忘记|不要理会|無視|忽視|忘れ)[^。\n]{0,14}(?:指令|指示|提示|规则|規則|命令|ルール|要求)|(?:指令|指示|提示|规则|規則|命令"
        r"|ルール)[^。\n]{0,10}(?:忽略|无视|無視|忘れ)|(?:지시|명령|규칙)[^.\n]{0,10}(?:무시|잊)",
    ),
)  # fmt: skip
