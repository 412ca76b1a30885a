"""What challenges, walls and error pages say in English, as regular expressions on lower-case text."""

_HUMAN = r"(?:a )?(?:human(?: being)?|real person|not a (?:ro)?bot)"

CHALLENGE_HEADLINES = (
    r"just a moment(?: please)?|(?:one|a) moment,? please|attention required",
    r"ddos.guard|sucuri website firewall|vercel security checkpoint|pardon our interruption",
    r"(?:please )?(?:verify(?:ing)?|confirm(?:ing)?|making sure|checking) "
    rf"(?:that )?you(?:'re| are) {_HUMAN}",
    r"are you (?:a )?(?:human|(?:ro)?bot)(?:,? or (?:a )?(?:human|(?:ro)?bot))?",
    r"(?:human|(?:ro)?bot) or (?:human|(?:ro)?bot)|(?:ro)?bot check",
    r"(?:human|bot|browser|security) (?:verification|check|checkpoint|challenge)",
    r"captcha(?: (?:challenge|required))?|checking your browser(?: .{1,80})?",
    r"performing security verification|(?:bot|human|security) verification required",
    r"(?:sorry, )?you(?:'ve| have) been blocked|access to this page has been denied",
    r"your access to this site has been limited",
    r"(?:error:? )?the request could not be satisfied|request (?:rejected|blocked|unsuccessful)",
)
CHALLENGE_LINES = (
    rf"(?:please )?(?:verify(?:ing)?|confirm|prove) (?:that )?you(?:'re| are) {_HUMAN}",
    rf"(?:please wait while )?we(?:'re| are) (?:just )?(?:making sure|checking) (?:that )?you(?:'re| are) {_HUMAN}",
    rf"(?:making sure|checking) (?:that )?you(?:'re| are) {_HUMAN}|let(?:'s| us) confirm you are human",
    r"checking (?:if the site connection is secure|your browser)",
    r"(?:please wait while )?we(?:'re| are)? (?:just )?(?:checking|verify(?:ing)?) your (?:browser|connection|request)",
    r"(?:sorry, )?we just need to make sure you(?:'re| are)|enter the characters you see",
    r"this website (?:uses|is using) a security service to protect",
    r"[\w.-]{1,80} needs to review the security of your connection",
    r"(?:our systems|we) (?:have |'ve )?(?:detected|noticed) (?:some )?unusual (?:traffic|activity)",
    r"(?:please )?complete (?:the|this) (?:security check|captcha|challenge)",
    r"(?:please )?(?:press|click|activate) (?:&|and) hold",
    r"(?:please )?(?:enable|turn on) (?:js|javascript) and (?:disable any ad blocker|cookies to continue)",
    r"this process is automatic\. your browser will redirect",
    r"sorry, you have been blocked|you(?:'ve| have) been blocked by network security",
    r"access to this page has been denied|pardon our interruption",
    r"as you were browsing,? something about your browser made us think",
    r"request unsuccessful\. incapsula|the requested url was rejected\. please consult",
    r"you don't have permission to access .{1,300}\n?reference #",
    r"sadly, you must enable javascript to get past this challenge|i(?:'m| am) not a robot",
    r"(?:please )?(?:solve|enter|type) (?:the|this) (?:captcha|puzzle|characters)[^.\n]{0,40} to (?:continue|go on)",
)

_READ = (
    r"(?:continue|keep|carry on|go on) reading|(?:read|see|view|unlock|access) "
    r"(?:this|the (?:full|rest|whole|entire|complete))"
)
_SUBSCRIBERS = r"(?:(?:paid|paying|premium|our|registered) ){0,3}(?:subscribers|members|patrons)"

SURE_PAYWALL_LINES = (
    r"the author made this story available to medium members only",
    r"create an account to read the full story|read the (?:full|rest of this) story with a free account",
    r"keep reading with a \d{1,2}.day free trial",
    r"this (?:post|episode|thread) is for (?:paid|paying) subscribers",
)
PAYWALL_LINES = (
    r"(?:the rest of )?this (?:post|article|story|content|episode) is (?:only |exclusively |reserved |exclusive )?"
    rf"(?:available |accessible )?(?:for|to) (?:[\w+&' -]{{1,40}} )?{_SUBSCRIBERS}(?! (?:of|who|with|in)\b)",
    r"(?:please )?(?:subscribe|upgrade|become an? (?:\w{1,20} )?(?:member|subscriber)|start your free trial) "
    rf"(?:to [\w .'&-]{{1,60}} )?(?:now )?(?:to|and) (?:{_READ})(?! and get access to the full archive)",
    rf"to (?:{_READ})[^.\n]{{0,60}},? (?:please )?(?:subscribe|upgrade|become a (?:member|subscriber))",
    r"(?:the rest of )?(?:this|the full) (?:post|article|story) is (?:behind (?:a|the|our) paywall|locked)",
    r"(?:continue|keep) reading with (?:an?|our|your) (?:\w{1,20} )?(?:subscription|trial|membership)",
    r"read the (?:full|whole|entire|complete) (?:article|story|post) with (?:an?|our) ",
    r"(?:please )?subscribe (?:now )?(?:to|and) get (?:full |unlimited )?access to this (?:article|story|post)",
    r"(?:this is|this article is) a (?:subscriber|member).(?:only|exclusive)",
    r"(?:get|buy) (?:full )?access to this (?:article|story|post)|subscribe (?:now )?for full access",
    r"you do not (?:currently )?have access to this (?:article|content)",
    r"unlock (?:this|the full|the rest of this) (?:post|article|story)",
    r"you(?:'ve| have) (?:reached|read|used) (?:your|all|the)[^.\n]{0,40} (?:free|complimentary) (?:articles?|stor)",
    r"subscriber.only (?:content|article|story)|(?:paid )?subscription required(?! for)",
)

LOGIN_HEADLINES = (
    r"(?:please )?(?:sign|log)[ -]?in(?:(?: to| with| or)? .{1,40})?|login(?:(?: to| page| required| or) ?.{0,40})?",
    r".{1,30} (?:login|log in|sign in)|(?:sign up|join) (?:to|now|linkedin).{0,40}|authentication required",
    r"welcome back|member login|single sign.on|authwall|sign up",
)
# Complete posts say "log in to comment" and "log in to see attachments"
_PAGE = r"(?:this|the|your|our|full|all) (?!(?:attachment|image|link|file|comment|discussion))"
_SEE = rf"(?:continue|proceed|keep reading|access {_PAGE}|(?:view|see|read) (?:more|{_PAGE}))"
LOGIN_LINES = (
    rf"(?:please )?(?:sign|log) ?in (?:or [\w ]{{1,24}} )?to {_SEE}",
    r"(?:you (?:must|need to|have to) (?:be (?:logged|signed) in|log ?in|sign ?in)|login (?:is )?required|"
    rf"please log in|please sign in)(?: first)?(?: to {_SEE}|\.?$)",
    r"(?:join|sign in to|sign up for) linkedin (?:to|and)|agree & join linkedin|new to linkedin\? join now",
    r"(?:create|register for|sign up for) (?:a|your) free account to (?:continue|keep|read|view|access)",
    r"(?:register|sign up) (?:for free |now )?to (?:continue|keep) reading",
    r"to (?:continue reading|read)[^.\n]{0,60},? (?:please )?(?:log ?in|sign in|register)",
    r"this (?:content|page|site|area) is (?:only )?(?:available|visible|accessible|restricted) to "
    r"(?:registered|logged.in|signed.in) (?:users|members)",
)

_NOT_FOUND = (
    r"(?:(?:the|this|that|your|requested|web) ){0,3}"
    r"(?:(?:page|file|url|link|article|post|story|document|resource|content|site|topic) ?){0,2}"
    r"(?:(?:was|is|could|you requested (?:was|could)) )?"
    r"(?:not (?:be )?found|can(?:not|'t) be found|couldn't be found|(?:doesn't|does not|no longer) exists?"
    r"|isn't available|(?:is )?(?:not|no longer) available|has been (?:removed|deleted)|is missing|missing)"
)
_OOPS = r"(?:(?:oops|whoops|ooops|sorry|uh.oh|hmm|error|http|status|code|we're sorry)\W{1,4}){0,3}"

# How a headline begins that says so beyond doubt
NOT_FOUND_HEADLINES = (
    rf"{_OOPS}(?:error )?(?:404|410)\b|{_OOPS}(?:the |this |your |requested )?page ",
)
ERROR_HEADLINES = (
    rf"{_OOPS}(?:error )?(?:40[034]|410|50[0234])(?: error)?",
    rf"{_OOPS}(?:(?:40[034]|410)\W{{1,4}})?(?:error\W{{1,4}})?{_NOT_FOUND}(?:\W{{1,4}}(?:error )?404|\W{{1,3}}\d?)?",
    rf"{_OOPS}(?:we )?(?:can't|cannot|couldn't|could not) find (?:that|the|this) page.{{0,40}}",
    r"(?:50[0234]\W{1,4})?(?:internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out)",
    r"(?:(?:this |the |our |we're |we are )(?:site |website |service )?(?:is )?)?(?:temporarily|currently|briefly) "
    r"(?:unavailable|offline|down|closed|under maintenance)(?: .{1,60})?",
    r"(?:site|website|service) (?:temporarily |currently )?(?:unavailable|offline|maintenance|not found)",
    r"(?:scheduled |site |under |down for )?maintenance(?: mode)?|we'll be (?:right )?back.{0,20}",
    r"(?:error establishing a )?database (?:connection )?error|error establishing a database connection",
    rf"{_OOPS}(?:it )?(?:looks like |seems )?something went wrong",
    rf"{_OOPS}(?:there(?:'s| is) )?nothing (?:was )?(?:here|found)(?: here)?",
    r"an? (?:unexpected )?error (?:has )?occurred|application error|server error",
    r"this (?:page|site) isn't working|(?:uncaught|unhandled) (?:exception|error)|http error \d{3}",
    r"access denied|forbidden|unauthori[sz]ed|permission denied",
    r"coming soon|under construction|account suspended|(?:this )?domain (?:is )?(?:parked|for sale|expired)",
    r"[\w.-]{3,60} (?:is )?(?:for sale|parked)|domain default page|default (?:parallels plesk|web ?site|web) page",
    r"welcome to (?:nginx|openresty|caddy|centos|tengine)|it works|iis windows(?: server)?",
    r"apache2? (?:\w{1,20} )?(?:default|test) page.{0,30}|test page for the .{1,60}",
    r"unsupported browser|browser not supported|your browser is (?:not supported|unsupported|out of date)",
)
ERROR_LINES = (
    r"(?:sorry,? )?(?:but )?(?:the|this) (?:page|url|link|file|document|resource|article|address) (?:that )?you"
    r"(?:'re| are| were|'ve| have|r)? ?(?:requested|looking|trying|tried|followed|searching|entered)",
    r"(?:sorry,? )?(?:but )?(?:the|this) (?:requested )?(?:page|url|link)[^.\n]{0,80}(?:not found|n't exist"
    r"|not exist|no longer exist|can't be found|cannot be found|could not be found|may have been)",
    r"(?:sorry,? )?we (?:can't|couldn't|cannot|could not)(?: seem to)? find (?:the|that|this|what)",
    r"it (?:looks|seems) like nothing was found|nothing (?:was )?found (?:here|at this)",
    r"(?:(?:this|the|our) (?:site|website|service|page) is |we(?:'re| are) )?(?:temporarily|currently|briefly) "
    r"(?:unavailable|down|offline|closed|under|performing)",
    r"(?:we'll|we will) be (?:right )?back|please (?:check back|try again|come back) (?:later|soon|in a)",
    r"this account has been suspended|(?:this|the) domain (?:name )?(?:[\w.-]{1,60} )?(?:is|may be|has) "
    r"(?:for sale|parked|expired|registered)|(?:buy|get) this domain|this (?:web ?page|domain) is parked",
    r"this (?:web )?page was generated by|if you see this page, the nginx web server",
    r"this is the (?:default|placeholder) (?:welcome |web |apache |index )?page",
    r"(?:this|your) (?:browser|version of .{1,30}) (?:is|isn't|is not) (?:not |no longer )?(?:supported|outdated)",
    r"you(?:'re| are) using an (?:unsupported|outdated) browser|(?:please )?(?:upgrade|update) your browser",
    r"you(?:'re| are) not authori[sz]ed to (?:access|view)|you (?:don't|do not) have (?:permission|access) to",
)
FAILED_PROGRAM_LINES = (
    r"error establishing a database connection|there has been a critical error on (?:this|your) website",
    r"sqlstate\[|(?:fatal|parse) error: |warning: (?:mysqli?_|require|include)",
)
DEFAULT_PAGE_LINES = (
    r"this is the default (?:welcome|web|apache) ?(?:page|site)?[^.\n]{0,40}used to test",
    r"if you see this page, the nginx web server is successfully installed",
    r"you should replace this file \(located at",
    r"this page is used to test the proper operation",
)

CONSENT_QUESTIONS = (
    r"before you continue(?: to .{1,40})?|your privacy matters",
    r"(?:we|with your (?:agreement|consent), we) (?:and our|value your|care about your|use cookies|ask you)",
)
CONSENT_ANSWERS = (
    r"(?:accept|agree|allow)(?: all)?(?: cookies)?(?: and| &| to) (?:continue|close|proceed)|i accept all|accept all",
)
CONSENT_SUBJECTS = (
    r"cookies?|consent|privacy|partner|vendors?|track(?:ing|ers?)|personali[sz]|advertising|identifiers?|data"
    r"|legitimate",
)
NEEDS_SCRIPTS = (
    r"(?:enable|activate|turn|allow|need|require|support)[^.\n]{0,40}javascript|without javascript",
    r"javascript[^.\n]{0,60}(?:enabled|activated|required|disabled|turned)",
)
IMPRINTS = (
    r"(?:\u00a9|\(c\) ?\d|copyright\b|(?:proudly )?powered by )|[^\n]{0,80}all rights reserved",
)
