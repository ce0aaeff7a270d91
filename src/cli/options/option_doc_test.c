#include "cli/options/option_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options/option_table.h"

#define LINE_LEN_MAX 120

static char *text_of(void (*write)(FILE *out))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    write(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static bool mentions(const char *text, const char *dashes, const char *word)
{
    char spelled[64];
    snprintf(spelled, sizeof spelled, "%s%s", dashes, word);
    return strstr(text, spelled) != NULL;
}

static void help_and_completions_name_every_option_there_is(void **state)
{
    (void)state;
    void (*const writers[])(FILE *) = {option_doc_help, option_doc_completion};
    for (unsigned w = 0; w < 2; w++) {
        char *text = text_of(writers[w]);
        for (unsigned i = 0; i < option_table_len; i++) {
            const struct option *option = &option_table[i];
            if (option->group == GROUP_ABSENT)
                continue;
            assert_true(!option->letters || mentions(text, "-", option->letters));
            assert_true(!option->name || mentions(text, "--", option->name));
        }
        free(text);
    }
}

static void lines_of_the_help_fit_a_wide_terminal(void **state)
{
    (void)state;
    char *text = text_of(option_doc_help);
    char *rest = text;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strlen(line) > LINE_LEN_MAX)
            fail_msg("%s", line);
    }
    free(text);
}

static void the_manual_page_names_all_with_hyphens_that_can_be_copied(void **state)
{
    (void)state;
    char *text = text_of(option_doc_manual);
    for (unsigned i = 0; i < option_table_len; i++) {
        const struct option *option = &option_table[i];
        assert_true(!option->letters || mentions(text, "\\-", option->letters));
    }
    assert_non_null(strstr(text, "\\-\\-max\\-rate"));
    assert_non_null(strstr(text, ".SH EXIT STATUS"));
    assert_null(strstr(text, "\n\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_completions_name_every_option_there_is),
        cmocka_unit_test(lines_of_the_help_fit_a_wide_terminal),
        cmocka_unit_test(the_manual_page_names_all_with_hyphens_that_can_be_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
