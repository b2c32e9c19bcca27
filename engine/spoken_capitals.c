/* SPDX-License-Identifier: MIT */
/* Words in capitals: which are read as words, and which letter by letter. */
#include "spoken_scan.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define WORD_MAX 64 /* bytes */
#define NEAR 40     /* bytes that are looked at on either side */
/* Longer ones are words, whatever they begin with. */
#define LONG 6

/* Short words that are read as such. "IT" and "US" are not among them: they are
 * letters, unless what stands beside them is a word in capitals. */
static const char words[] =
	"ACE ACT ADD AGE AGO AH AID AIM AIR ALE ALL AM AN AND "
	"ANT ANY APE APP ARC ARE ARK ARM ART AS ASH ASK AT ATE AWE "
	"AXE AYE BAD BAG BAN BAR BAT BAY BE BED BEE BEG "
	"BEN BET BID BIG BIN BIO BIT BOB BOO BOW BOX BOY BUD BUG BUN BUS "
	"BUT BUY BY BYE CAB CAN CAP CAR CAT COB COD COG COP COT COW COY "
	"CRY CUB CUE CUP CUT DAB DAD DAM DAN DAY DEN DEW DID DIE DIG DIM DIN "
	"DIP DO DOE DOG DON DOT DRY DUB DUE DUG DUO DYE EAR EAT EBB EEL EGG "
	"EGO EH ELF ELK ELM END ERA EVE EWE EYE FAD FAN FAR FAT FED FEE "
	"FEW FIG FIN FIR FIT FIX FLU FLY FOE FOG FOR FOX FRY FUN FUR GAG GAP "
	"GAS GEL GEM GET GIF GIG GNU GO GOD GOT GUM GUN GUT GUY GYM HA HAD "
	"HAM HAS HAT HAY HE HEN HER HEY HI HID HIM HIP HIS HIT HO HOG HOP HOT "
	"HOW HUB HUG HUM HUT ICE ICY IF ILL IN INK INN ION IS ITS IVY JAM JAR "
	"JAW JAY JET JIM JOB JOE JOG JOY JUG KEY KID KIN KIT LAB LAD LAG LAN "
	"LAP LAW LAY LED LEG LET LID LIE LIP LIT LO LOG LOT LOW LUX MAD MAN "
	"MAP MAT MAX MAY ME MEN MET MID MIX MOB MOM MOP MUD MUG MUM MY "
	"NAG NAP NAY NET NEW NIL NO NOD NOR NOT NOW NUN NUT OAK OAR OAT ODD "
	"OF OFF OFT OH OIL OK OLD ON ONE OPT OR ORB ORE OUR OUT OW OWE OWL "
	"OWN OX PAD PAL PAN PAP PAR PAT PAW PAY PEA PEG PEN PEP PER PET PIE "
	"PIG PIN PIT PLY POD POP POT PRO PRY PUB PUN PUP PUT RAG RAM RAN RAP "
	"RAT RAW RAY RED RIB RID RIG RIM RIP ROB ROD ROM ROT ROW RUB RUG RUM "
	"RUN RUT RYE SAD SAM SAP SAT SAW SAY SEA SEE SET SEW SEX SHE SHY SIM "
	"SIN SIP SIR SIT SIX SKI SKY SLY SO SOB SOD SON SOW SOY SPA SPY SUB "
	"SUE SUM SUN TAB TAG TAN TAP TAR TAX TEA TED TEN THE THY TIE TIM TIN "
	"TIP TO TOE TOM TON TOO TOP TOW TOY TRY TUB TUG TWO UGH UP URN USE "
	"VAN VAT VET VIA VOW WAN WAR WAS WAX WAY WE WEB WED WEE WET WHO WHY "
	"WIG WIN WIT WOE WON WOW YES YET YOU YUM ZAP ZEN ZIP ZOO";

/* Those that look like words and are read letter by letter, whatever is around
 * them. */
static const char *const letters[] = {
	"AARP", "ACL",	"ACLU", "ADHD", "AI",	"AKA",	"AOL",	"AOSP", "API",
	"APIS", "ASAP", "ATM",	"ATMS", "CEO",	"CIA",	"CIO",	"COO",
	"CPU",	"DIY",	"DOA",	"DOI",	"DUI",	"EKG",	"EOF",	"EPA",	"ESP",
	"ESPN", "ETA",	"EU",	"FAQ", "GPU",	"GUI",	"IBM",	"ICU",
	"ID",	"IDE",	"IDS",	"IEEE", "IMDB", "IMF",	"IP",	"IPA",	"IPO",
	"IPTV", "IQ",	"IRC",	"IRS",	"ISBN", "ISO",	"ISP",	"ISSN", "IV",
	"LCD",	"MIA",	"MIT",	"MRI",	"NBA",	"NYC",	"OAUTH", "OECD", "OEM",
	"OMG",	"OS",	"PA",	"RIAA", "SOS",	"SUV",	"UAE",	"UCLA",
	"UEFI", "UFO",	"UI",	"UK",	"UN",	"UPS",	"URI",	"URL",	"URLS",
	"USA",	"USAF", "USB",	"USDA", "USPS", "USSR", "UUID", "UX",	"VIP",
	"VOIP", "VPN",	"WWII",
};

/* What an English word can begin with, besides one consonant. */
static const char onsets[] =
	" BL BR CH CHR CL CR DR DW FL FR GH GL GN GR KL KN KR PH PHR PL PN PR PS "
	"RH SC SCH SCR SH SHR SK SL SM SN SP SPL SPR SQ ST STR SV SW TH THR TR "
	"TS TW WH WR ";

static bool is_vowel(char c)
{
	return c && strchr("AEIOUYaeiouy", c);
}

bool spoken_has_vowel(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_vowel(text[i]))
			return true;
	return false;
}

static bool listed(const char *const *list, size_t n_list, const char *text,
		   size_t n)
{
	for (size_t i = 0; i < n_list; i++)
		if (strlen(list[i]) == n && strncmp(list[i], text, n) == 0)
			return true;
	return false;
}

/* Whether a list of words, a space before and behind each, has this one. */
static bool among(const char *list, const char *text, size_t n)
{
	for (const char *at = list; (at = strchr(at, text[0])); at++)
		if ((at == list || at[-1] == ' ') &&
		    strncmp(at, text, n) == 0 && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

/* Whether a longer word looks as if it could be said. */
static bool is_sayable(const char *text, size_t n)
{
	size_t onset = 0, run = 0;

	if (!spoken_has_vowel(text, n))
		return false;
	if (n >= LONG)
		return true;
	while (!is_vowel(text[onset]))
		onset++;
	if (onset > 1 && !among(onsets, text, onset))
		return false;
	for (size_t i = 0; i < n; i++) {
		run = is_vowel(text[i]) ? 0 : run + 1;
		if (run > 3)
			return false;
	}
	return true;
}

/* Whether it is a word by itself, not a name of letters. */
static bool is_plain(const char *text, size_t n)
{
	if (listed(letters, N(letters), text, n))
		return false;
	return n > 3 ? is_sayable(text, n) : among(words, text, n);
}

/* --- what stands around --- */

static bool is_gap(char c)
{
	return c == ' ' || c == ',' || c == '\'';
}

/* The run of letters next to [begin, end), before or behind it. */
static size_t neighbour(const char *text, size_t len, size_t begin, size_t end,
			bool behind, size_t *ret)
{
	size_t n = 0;

	if (behind) {
		for (size_t i = 0; i < 2 && end < len && is_gap(text[end]); i++)
			end++;
		while (n < NEAR && end + n < len && is_letter(text[end + n]))
			n++;
		*ret = end;
		return n;
	}
	for (size_t i = 0; i < 2 && begin > 0 && is_gap(text[begin - 1]); i++)
		begin--;
	while (n < NEAR && begin > n && is_letter(text[begin - 1 - n]))
		n++;
	*ret = begin - n;
	return n;
}

static bool all_upper(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_upper(text[i]))
			return false;
	return n > 0;
}

/* Whether a neighbour is a word in capitals: "IT WAS". */
static bool is_shouted(const char *text, size_t len, size_t at, size_t n)
{
	for (int behind = 0; behind < 2; behind++) {
		size_t begin;
		size_t near = neighbour(text, len, at, at + n, behind, &begin);

		if (near > 1 && all_upper(text + begin, near) &&
		    is_plain(text + begin, near))
			return true;
	}
	return false;
}

static bool by_letters(const char *text, size_t len, size_t at, size_t n)
{
	const char *word = text + at;

	/* "AT&T" */
	if (at + n + 1 < len && word[n] == '&' && is_upper(word[n + 1]))
		return true;
	if (is_plain(word, n))
		return false;
	if (!spoken_has_vowel(word, n) ||
	    listed(letters, N(letters), word, n) ||
	    (n > 3 && !is_sayable(word, n)))
		return true;
	return !is_shouted(text, len, at, n);
}

/* --- Roman numerals --- */

/* "World War II": a short one behind a name; "IV" alone is letters. */
static size_t numeral(struct spoken_words *w, const char *text, size_t at,
		      size_t n, size_t len)
{
	static const char *const numerals[] = {
		"",	"",    "II",  "III", "IV",  "",	   "VI",
		"VII", "VIII", "IX", "",    "XI",  "XII",  "XIII",
		"XIV", "XV",  "XVI", "XVII", "XVIII", "XIX", "XX",
	};
	size_t begin;
	size_t before = neighbour(text, len, at, at + n, false, &begin);

	if (n < 3 && (before < 2 || !is_upper(text[begin]) ||
		      all_upper(text + begin, before) || text[at - 1] != ' '))
		return 0;
	for (size_t i = 2; i < N(numerals); i++) {
		if (strlen(numerals[i]) == n &&
		    strncmp(numerals[i], text + at, n) == 0) {
			spoken_add_number(w, (int64_t)i, SPOKEN_CARDINAL);
			return n;
		}
	}
	return 0;
}

/* --- small letters --- */

/* "src", "tmp": nobody can say them. */
static size_t unsayable(struct spoken_words *w, const char *text, size_t at,
			size_t len)
{
	static const char sounds[] =
		"brr dr ft grr hm hmm hmmm km kg lb mg mm mmm mr mrs ms nd nth "
		"pfft psst pst rd sh shh shhh st th tsk vs zzz";
	size_t n = 0;

	while (at + n < len && n < 6 && text[at + n] >= 'a' &&
	       text[at + n] <= 'z')
		n++;
	if (n < 2 || n > 4 || spoken_has_vowel(text + at, n) ||
	    among(sounds, text + at, n) ||
	    (at + n < len && (is_of_word(text[at + n]) ||
			      text[at + n] == '\'')) ||
	    (at > 0 && (is_of_word(text[at - 1]) || text[at - 1] == '\'')))
		return 0;
	spoken_add_letters(w, text + at, n);
	return n;
}

size_t spoken_capitals(struct spoken_words *w, const char *text, size_t at,
		       size_t len)
{
	char lower[WORD_MAX];
	size_t n = 0, tail;

	while (at + n < len && n < WORD_MAX && is_upper(text[at + n]))
		n++;
	if (n == 0)
		return unsayable(w, text, at, len);
	/* A plural's s, a possessive's. */
	tail = n;
	if (n >= 2 && at + n < len && text[at + n] == 's')
		tail = n + 1;
	if (n < 2 || n >= WORD_MAX ||
	    (at + tail < len && is_letter(text[at + tail])) ||
	    (n == 2 && strncmp(text + at, "OK", 2) == 0))
		return 0;
	if (tail == n && numeral(w, text, at, n, len) > 0)
		return n;
	if (by_letters(text, len, at, n)) {
		spoken_add_letters(w, text + at, n);
		if (tail > n) {
			spoken_add_mark(w, '\'');
			spoken_add_mark(w, 's');
		}
		return tail;
	}
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(text[at + i] | 0x20);
	spoken_add(w, lower, n);
	if (tail > n)
		spoken_add_mark(w, 's');
	return tail;
}
