"""What challenges, walls and error pages say in other languages, as regular expressions on lower-case text."""

# Japanese and Chinese put what matters at the end
_BEFORE = r"[^\u3002\n]{0,30}?"

_MENSCH = r"(?:ein mensch|kein (?:ro)?bot(?:er)?)"

CHALLENGE_HEADLINES = (
    r"nur einen moment(?: bitte)?|einen moment,? bitte|sicherheits(?:überprüfung|prüfung|check)",
    rf"(?:bitte )?bestätigen sie,? dass sie {_MENSCH} sind",
    r"un instant(?: s'il vous plaît)?|vérification de sécurité",
    r"un momento(?: por favor)?|(?:verificación|comprobación) de seguridad",
    r"um momento(?: por favor)?|verificação de segurança|un attimo|verifica di sicurezza",
    r"een moment(?: geduld)?|beveiligingscontrole",
    r"しばらくお待ちください|セキュリティ(?:チェック|確認|検証)",
    r"[请請]稍[候等]|安全验证|人机验证|잠시만 기다리십시오",
    r"один момент|вы не робот",
)
CHALLENGE_LINES = (
    r"(?:bitte )?bestätigen sie,? dass sie (?:ein mensch|kein)|ich bin kein roboter",
    r"ihr browser wird (?:über|ge)prüft|wir (?:über)?prüfen (?:ihren browser|,? ?ob sie ein mensch)",
    r"diese website verwendet einen sicherheitsdienst|ce site (?:web )?utilise un service de sécurité",
    r"est[ea] (?:sitio web|sitio|página) (?:web )?(?:utiliza|usa) un servicio de seguridad",
    r"nous vérifions que vous êtes humain|(?:stiamo verificando|verifichiamo) che tu sia",
    r"(?:unsere systeme haben|wir haben) ungewöhnlichen (?:datenverkehr|traffic)",
    r"[\w.-]{1,80} muss (?:zuerst )?die sicherheit ihrer verbindung",
    r"(?:veuillez )?(?:vérifie[rz]|confirme[rz]|prouve[rz]) que vous (?:êtes|n'êtes pas)",
    r"vérification de (?:votre|la connexion de votre) navigateur|je ne suis pas un robot",
    r"nos systèmes ont détecté un trafic|[\w.-]{1,80} doit vérifier la sécurité de votre connexion",
    r"(?:verifi(?:ca|que)|confirm[ae]|demuestr[ae]) que (?:no )?(?:eres|es|usted es)",
    r"(?:estamos )?(?:comprobando|verificando) (?:que|tu|su) ?(?:navegador|eres humano)|no soy un robot",
    r"nuestros sistemas han detectado|(?:confirme|verifique) que (?:você )?é (?:um )?humano",
    r"verifica di essere (?:un )?uman|non sono un robot|verifieer dat u een mens bent",
    rf"{_BEFORE}(?:人間|ロボットではない)(?:である)?ことを(?:確認|証明)|私はロボットではありません",
    rf"{_BEFORE}接続のセキュリティを確認|このウェブサイトは、悪意のあるボット",
    r"ブラウザを(?:確認|検証)しています|通常と異なるトラフィック",
    rf"{_BEFORE}[请請](?:完成|通[过過]|进行)(?:安全|人机|以下)?[验驗][证證]|{_BEFORE}(?:确认|验证)您(?:是真人|不是机器人)",
    r"本网站使用安全服务",
    r"подтвердите, что (?:вы|запросы)|проверка браузера",
)

PAYWALL_LINES = (
    r"(?:dieser|der ganze|der vollständige) (?:artikel|beitrag|text|inhalt) ist [^.\n]{0,40}"
    r"(?:abonnent|mitglieder|mit [^.\n]{0,20}(?:abo|plus))",
    r"(?:jetzt )?(?:abonnieren|testen|freischalten) (?:und|,? um) (?:weiterzulesen|weiterlesen|alles)",
    r"(?:(?:jetzt )?weiterlesen|jetzt lesen|lesen sie(?: diesen artikel| weiter)?)(?: nur)? "
    r"mit [^.\n]{0,40}(?:abo|plus|\+)",
    r"sie haben (?:bereits )?(?:alle|ihre) [^.\n]{0,30}(?:kostenlosen|gratis)",
    r"(?:[^.\n]{1,40} est )?(?:article |contenu )?réservée? (?:à nos |aux )(?:abonné|membre)",
    r"il vous reste (?:encore )?\d{1,3}(?:[.,]\d{1,2})? ?% de (?:cet|l')",
    r"(?:abonnez-vous|s'abonner) (?:pour|et|à)[^.\n]{0,40}(?:lire|lecture|accéder|suite)",
    r"(?:suscr[ií]bete|suscr[ií]base|hazte (?:socio|suscriptor)) (?:ahora )?(?:para|y) "
    r"(?:seguir|continuar|sigue|continúa|leer)",
    r"para (?:seguir|continuar) leyendo,? (?:suscr|hazte)",
    r"(?:este (?:artículo|contenido) es |contenido )?(?:exclusivo |sólo |solo )para suscriptores",
    r"(?:articolo|contenuto) (?:è )?riservato (?:agli|ai)|abbonati per (?:continuare|leggere)",
    r"(?:assine|assina) para (?:continuar|ler)|(?:conteúdo )?exclusivo para assinantes",
    r"(?:lees verder|verder lezen) met|alleen voor abonnees",
    r"(?:この記事|この投稿|ここから先|続き)は[^\n]{0,20}(?:有料|会員|購読者|メンバー)|有料会員(?:限定|登録)",
    rf"残り:? ?\d[\d,]{{0,6}} ?文字|{_BEFORE}続きを(?:読む|お読みいただく)に(?:は|、)[^\n]{{0,20}}(?:登録|購読|会員)",
    r"[^\u3002\n]{0,20}登録すると続きを",
    r"(?:订阅|付费|开通会员)(?:后|以|即可|会员)?(?:继续阅读|阅读全文|查看全文)|本文为付费",
)

LOGIN_HEADLINES = (
    r"anmelden|anmeldung|einloggen|anmelden (?:bei|oder).{1,40}|(?:se connecter|connexion|s'identifier)(?: .{1,40})?",
    r"(?:iniciar sesión|inicia sesión|acceder|identifícate)(?: .{1,40})?|accedi(?: .{1,40})?|entrar|fazer login",
    r"inloggen|aanmelden|logga in|logg inn|zaloguj się|вход|войти",
    r"(?:.{1,30}(?:に|へ))?(?:ログイン|サインイン)(?:する|画面|ページ)?|登[录錄陸]|로그인",
)
LOGIN_LINES = (
    r"(?:bitte )?(?:melden sie sich|loggen sie sich|melde dich|logge? dich)(?: bitte)?(?: an| ein)?,? (?:um|damit)",
    r"(?:sie müssen|du musst)(?: sich)? (?:angemeldet|eingeloggt|anmelden|einloggen)",
    r"(?:bitte )?(?:anmelden|einloggen),? um",
    r"(?:veuillez )?(?:vous connecter|connectez-vous|identifiez-vous|s'identifier) (?:pour|afin)",
    r"vous devez (?:être connecté|vous connecter|vous identifier)",
    r"(?:por favor,? )?(?:inicia|inicie|iniciar) sesión (?:para|o)|(?:debes|debe|necesitas) iniciar sesión",
    r"(?:accedi|effettua l'accesso) per|(?:faça|fazer) login para|(?:log in|meld je aan) om",
    rf"{_BEFORE}(?:ログイン|サインイン)(?:してください|が必要)",
    r"[请請](?:先)?登[录錄]|登[录錄]后(?:阅读|查看|继续|可见)|로그인이 필요|로그인 후",
)

NOT_FOUND_HEADLINES = (
    r"fehler 404|erreur 404|(?:die )?(?:angeforderte )?seite |(?:la |cette )?page |(?:la )?página n|pagina n",
)
ERROR_HEADLINES = (
    r"(?:fehler )?404(?: fehler)?|(?:die )?(?:angeforderte )?seite (?:wurde )?nicht (?:gefunden|verfügbar|vorhanden)",
    r"wartungsarbeiten|wartungsmodus|wir sind (?:gleich|bald) (?:wieder )?(?:für sie )?(?:da|zurück)",
    r"(?:wir sind |seite )?(?:vorübergehend|zurzeit) nicht (?:erreichbar|verfügbar)",
    r"(?:erreur 404\W{1,4})?(?:la |cette )?page (?:non trouvée|introuvable|inexistante|n'existe pas|demandée.{0,40})",
    r"site (?:temporairement )?(?:indisponible|en maintenance)|(?:erreur|error) 404",
    r"(?:error 404\W{1,4})?(?:la )?página no (?:encontrada|existe|disponible|se ha encontrado)|sitio en mantenimiento",
    r"pagina non trovata|pagina niet gevonden|página não encontrada|sidan (?:hittades|kunde) inte.{0,20}",
    r"(?:404\W{1,4})?(?:(?:お探しの|指定された|ご指定の)?ページ(?:は|が)(?:見つかりません(?:でした)?|存在しません).{0,6})",
    r"(?:ただいま)?メンテナンス中(?:です)?|(?:404\W{1,4})?(?:页面|頁面)(?:不存在|未找到|找不到)|找不到(?:页面|頁面)",
    r"страница не найдена",
)
ERROR_LINES = (
    r"(?:leider )?(?:konnte|existiert|wurde|gibt es|haben wir) (?:die|diese|der)[^.\n]{0,60}(?:nicht|keine)",
    r"die (?:von ihnen )?(?:angeforderte|gesuchte|aufgerufene) (?:seite|adresse)",
    r"(?:die|diese|unsere) (?:seite|webseite|website) ist [^.\n]{0,60}nicht (?:erreichbar|verfügbar)",
    r"(?:le|ce|notre) site est [^.\n]{0,60}(?:indisponible|maintenance)",
    r"(?:el|este|nuestro) sitio está [^.\n]{0,60}(?:mantenimiento|no disponible)",
    r"la page (?:que vous|demandée|recherchée)|nous sommes désolés",
    r"la página (?:que|solicitada|a la que)|lo sentimos",
    r"お探しのページ|申し訳(?:ございません|ありません)|ご迷惑をおかけ|大変ご不便",
)

CONSENT_QUESTIONS = (
    r"(?:mit|weiter mit|weiterlesen mit) (?:werbung|cookies|tracking)",
    r"wir (?:und unsere|benötigen ihre|brauchen ihre|verwenden cookies|respektieren)",
    r"nous et nos|avec votre accord|nous utilisons|nosotros y nuestros|usamos cookies|con su acuerdo|noi e i nostri",
    r"[^\u3002\n]{0,20}クッキーを使",
)
CONSENT_ANSWERS = (
    r"(?:alle[ns]? )?(?:akzeptieren|zustimmen)|akzeptieren und weiter|einverstanden",
    r"(?:tout )?accepter(?: et (?:continuer|fermer))?$|continuer sans accepter",
    r"aceptar(?: todo)?(?: y (?:continuar|cerrar))|aceptar todo|accetta (?:e continua|tutto)",
    r"同意して|クッキーに同意|cookieに同意",
)
CONSENT_SUBJECTS = (
    r"einwilligung|zustimm|datenschutz|werbung|daten|akzeptieren|consentement|données|publicit|traceurs|accepter",
    r"consentimiento|datos|socios|privacidad|anuncios|aceptar|同意|クッキー|プライバシー",
)
NEEDS_SCRIPTS = (
    r"javascript[^.\n]{0,60}(?:aktivier|deaktiviert|activé|désactivé|desactivado|habilit|necesari|nötig)",
    r"(?:aktivier|benötig|nécessit|habilit|active[rz]|activar|désactiv)[^.\n]{0,40}javascript",
    r"javascript[^\n]{0,12}(?:有効|オン|启用|必要)|(?:启用|啟用)[^\n]{0,6}javascript",
)
IMPRINTS = (r"[^\n]{0,80}(?:alle rechte vorbehalten|tous droits réservés|todos los derechos)",)
