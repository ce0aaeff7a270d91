#include "cli/options/option_doc.h"

#include <string.h>
#include <sysexits.h>

#include "cli/options/option_table.h"

#define SPELLING_WIDTH 30 /* columns before the sentences of --help */
#define SPELLING_MAX   96

static const struct {
    int status;
    const char *meaning;
} exit_codes[] = {
    {EX_OK, "the scan is complete"},
    {EX_USAGE, "the command line is wrong"},
    {EX_DATAERR, "targets, ports or a file are not what they should be"},
    {EX_NOINPUT, "a file that is to be read is missing"},
    {EX_UNAVAILABLE, "there is no route or interface to the targets"},
    {EX_SOFTWARE, "Portolan itself failed; what was found until then is reported"},
    {EX_OSERR, "the system refused memory, a process or a socket"},
    {EX_CANTCREAT, "an output file cannot be created"},
    {EX_IOERR, "an output file or the store cannot be written"},
    {EX_TEMPFAIL, "stopped, or the disk is full; portolan resume goes on with the scan"},
    {EX_NOPERM, "raw sockets are needed and not allowed"},
    {129, "stopped by SIGHUP"},
    {130, "stopped by SIGINT (Ctrl-C)"},
    {143, "stopped by SIGTERM"},
};

static const struct {
    const char *command, *meaning;
} examples[] = {
    {"portolan 198.18.0.2", "the 1000 most common TCP ports of one host"},
    {"portolan -sS -p- -oA scan 198.18.0.0/24",
     "all TCP ports of a network, reported to scan.nmap, scan.xml and others"},
    {"portolan -sT -Pn -p 22,80,443 host.example",
     "three ports by connecting, without asking first whether the host is up"},
    {"portolan -sn -iL networks.txt --exclude 198.18.7.0/24", "which hosts are up"},
    {"portolan -p 80 --then 'curl -s http://{host}/ -o {host}.html' 198.18.0.0/16",
     "a command for each host found"},
};

/* "-p PORTS", "-v, --verbose", "--max-rate N"; what stands between the words differs between help and
 * manual. */
static void spelling(const struct option *option, char text[static SPELLING_MAX])
{
    const char *glue = option->argument == ARGUMENT_REQUIRED ? " " : "";
    const char *metavar = option->metavar ? option->metavar : "";
    const char *left = option->argument == ARGUMENT_GLUED ? "[" : "";
    const char *right = option->argument == ARGUMENT_GLUED ? "]" : "";
    snprintf(text, SPELLING_MAX, "%s%s%s%s%s%s%s%s%s", option->letters ? "-" : "",
             option->letters ? option->letters : "", option->letters && option->name ? ", " : "",
             option->name ? "--" : "", option->name ? option->name : "", glue, left, metavar, right);
}

void option_doc_help(FILE *out)
{
    fprintf(out, "Portolan " PORTOLAN_VERSION ", a port scanner\n"
                 "usage: portolan [options] target ...\n"
                 "       portolan resume FILE [options]    go on with the scan of a --store\n"
                 "       portolan report FILE [options]    report on it, also while it runs\n"
                 "       portolan diff FILE FILE    what changed between two scans\n"
                 "       portolan explain FILE HOST:PORT    why a port has its state\n"
                 "       portolan doctor    what works on this machine\n"
                 "targets: 198.18.0.2, 198.18.0.0/24, 198.18.0-3.1,5-9, 2001:db8::/112, www.example.net\n");
    int group = -1;
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        if (option->group == GROUP_ABSENT)
            continue;
        if (option->group != group)
            fprintf(out, "\n%s\n", option_group_title((enum option_group)option->group));
        group = option->group;
        char text[SPELLING_MAX];
        spelling(option, text);
        fprintf(out, "  %-*s %s\n", SPELLING_WIDTH, text, option->help);
    }
    fprintf(out, "\nTimes are numbers with ms, s, m or h. The manual page says more: man portolan\n");
}

/* Text for troff: a hyphen that can be copied, and no line that begins with a control character. */
static void put_troff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void manual_item(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n.B \"", out);
    put_troff(out, term);
    fputs("\"\n", out);
    put_troff(out, text);
    fputs(".\n", out);
}

static void manual_options(FILE *out)
{
    int group = -1;
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        if (option->group != group)
            fprintf(out, ".SH \"%s\"\n", option_group_title((enum option_group)option->group));
        group = option->group;
        char text[SPELLING_MAX];
        spelling(option, text);
        manual_item(out, text, option->help);
    }
}

void option_doc_manual(FILE *out)
{
    fputs(
        ".TH PORTOLAN 1 \"\" \"Portolan " PORTOLAN_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nportolan \\- scan ports of hosts and networks\n"
        ".SH SYNOPSIS\n.B portolan\n[\\fIoptions\\fR] \\fItarget\\fR ...\n"
        ".br\n.B portolan resume\n\\fIfile\\fR [\\fIoptions\\fR]\n"
        ".br\n.B portolan report\n\\fIfile\\fR [\\fIoptions\\fR]\n"
        ".br\n.B portolan diff\n\\fIfile file\\fR [\\-\\-json]\n"
        ".br\n.B portolan explain\n\\fIfile host:port\\fR\n"
        ".br\n.B portolan doctor\n"
        ".SH DESCRIPTION\n"
        "Portolan finds out which ports of the targets are open, closed or filtered, and says why it "
        "thinks so.\n"
        "A target is an address, a network such as 198.18.0.0/24, a list of ranges in each octet such as\n"
        "198.18.0\\-3.1,5\\-9, or a name. With raw sockets it sends TCP SYN probes, without them it "
        "connects; to allow\n"
        "raw sockets, run once: setcap cap_net_raw=ep on the program. Options are spelled as in Nmap.\n"
        ".PP\n"
        "Times are numbers with ms, s, m or h; without, seconds. While a scan runs in a terminal, v and V "
        "change how much\n"
        "is said, d and D how much of the inside, p and P show packets or not, ? lists the keys, and any "
        "other key\n"
        "says how far the scan is.\n"
        ".PP\n"
        "With \\-\\-store the scan can be ended in any way, also by the loss of power: resume goes on with "
        "it. The plan is fixed\n"
        "then; only outputs, rates, further excludes and what is said can be given. Report writes any report "
        "of it, explain\n"
        "tells why a port has its state, and diff ends with 0 when two scans found the same, 1 when not, 2 "
        "when it fails.\n",
        out);
    manual_options(out);
    fputs(".SH EXIT STATUS\n", out);
    for (unsigned i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", exit_codes[i].status);
        manual_item(out, number, exit_codes[i].meaning);
    }
    fputs(".SH EXAMPLES\n", out);
    for (unsigned i = 0; i < sizeof examples / sizeof examples[0]; i++)
        manual_item(out, examples[i].command, examples[i].meaning);
}

void option_doc_completion(FILE *out)
{
    fputs("# bash completion for portolan\n_portolan()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]}\n"
          "    local prev=${COMP_WORDS[COMP_CWORD-1]}\n    case $prev in\n    ",
          out);
    const char *separator = "";
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        if (!option->metavar || strcmp(option->metavar, "FILE") != 0)
            continue;
        if (option->letters)
            fprintf(out, "%s-%s", separator, option->letters);
        else
            fprintf(out, "%s--%s", separator, option->name);
        separator = "|";
    }
    fputs(")\n        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n        return ;;\n    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W '",
          out);
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        if (option->group == GROUP_ABSENT)
            continue;
        if (option->letters)
            fprintf(out, "-%s ", option->letters);
        if (option->name)
            fprintf(out, "--%s ", option->name);
    }
    fputs("resume report diff explain doctor' -- \"$cur\")\n}\ncomplete -o default -F _portolan portolan\n",
          out);
}
