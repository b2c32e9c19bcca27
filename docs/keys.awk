# SPDX-License-Identifier: MIT
#
# Usage: awk -v docdir=DIR -f keys.awk barkd.ini barkd.ini.5.in
# The man page with its keys from the commented file, which stays the one
# place where they are described.

function flush_keys() {
	if (open)
		keys = keys ".El\n"
	open = 0
}

function prose(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	while (match(s, /`[^`]*`/))
		s = substr(s, 1, RSTART - 1) "\\(oq" \
			substr(s, RSTART + 1, RLENGTH - 2) "\\(cq" \
			substr(s, RSTART + RLENGTH)
	# A sentence a line, as mdoc wants it.
	gsub(/([.]) /, ".\n", s)
	return s
}

FNR == NR && /^\[/ {
	flush_keys()
	keys = keys ".Ss " $0 "\n"
	section = 1
	text = ""
	next
}
FNR == NR && /^$/ { text = ""; next }
FNR == NR && section && /^#[a-z0-9_]+ =/ {
	if (!open)
		keys = keys ".Bl -tag -width Ds\n"
	open = 1
	split(substr($0, 2), pair, / = ?/)
	keys = keys ".It Ic " pair[1] \
		(pair[2] == "" ? "" : " No = Ar " pair[2]) "\n" \
		(text == "" ? "" : prose(text) "\n")
	text = ""
	next
}
FNR == NR && section && /^# / {
	text = text (text == "" ? "" : " ") substr($0, 3)
	next
}
FNR == NR { next }

$0 == "@KEYS@" {
	flush_keys()
	printf "%s", keys
	next
}
{
	gsub(/@DOCDIR@/, docdir)
	print
}
