/* Questions and replies of reverse look-ups (RFC 1035, RFC 3596, RFC 2317). */
#include "resolve/ptr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/rand.h"

#define REPLY_MAX 4096
#define CNAME     5
#define PTR       12

/* A reply in the making; names are given in wire form, as "\4host\0", and written as they are. */
struct reply {
    uint8_t bytes[REPLY_MAX];
    struct writer out;
};

/* "7.2" as the question, which is enough of a name; it stands at offset 12. */
static void begin(struct reply *reply, uint16_t answer_count)
{
    reply->out = writer_over(reply->bytes, sizeof reply->bytes);
    write_be32(&reply->out, 0x12348180); /* id, flags */
    write_be16(&reply->out, 1);
    write_be16(&reply->out, answer_count);
    write_be32(&reply->out, 0);
    write_bytes(&reply->out, (const uint8_t *)"\0017\0012", 5);
    write_be16(&reply->out, PTR);
    write_be16(&reply->out, 1);
}

static void answer(struct reply *reply, const char *owner, size_t owner_len, uint16_t type, const char *data,
                   size_t data_len)
{
    write_bytes(&reply->out, (const uint8_t *)owner, owner_len);
    write_be16(&reply->out, type);
    write_be16(&reply->out, 1);
    write_be32(&reply->out, 3600);
    write_be16(&reply->out, (uint16_t)data_len);
    write_bytes(&reply->out, (const uint8_t *)data, data_len);
}

/* For string literals, whose own zero is the root label. */
#define ANSWER(reply, owner, type, data) answer(reply, (owner), sizeof(owner), type, (data), sizeof(data))
#define POINTER                          "\xc0\x0c" /* to the question; not with ANSWER, it adds a root */

static bool read_reply(const struct reply *reply, char ret[static PTR_NAME_MAX + 1])
{
    assert_true(reply->out.ok);
    return ptr_read(reply->bytes, writer_len(&reply->out), ret);
}

static void the_question_for_an_ipv4_address_is_its_numbers_backwards(void **state)
{
    (void)state;
    char name[PTR_QUESTION_MAX];
    struct addr addr = addr_v4(0xc6120102);
    ptr_question(&addr, name);
    assert_string_equal(name, "2.1.18.198.in-addr.arpa");
    addr = addr_v4(UINT32_MAX);
    ptr_question(&addr, name);
    assert_string_equal(name, "255.255.255.255.in-addr.arpa");
}

/* The example of RFC 3596 section 2.5. */
static void the_question_for_an_ipv6_address_is_its_nibbles_backwards(void **state)
{
    (void)state;
    char name[PTR_QUESTION_MAX];
    struct addr addr;
    assert_true(addr_parse("4321:0:1:2:3:4:567:89ab", &addr));
    ptr_question(&addr, name);
    assert_string_equal(name, "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
}

static void a_plain_answer_gives_its_name(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\4host\7example", 14);
    assert_true(read_reply(&reply, name));
    assert_string_equal(name, "host.example");
}

static void a_name_is_followed_through_cnames_whatever_its_case(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 3);
    answer(&reply, POINTER, 2, CNAME, "\0017\0040/25\0012", 10);
    ANSWER(&reply, "\0017\0040/25\0012", CNAME, "\1x\1Y");
    ANSWER(&reply, "\1X\1y", PTR, "\1a\1b");
    assert_true(read_reply(&reply, name));
    assert_string_equal(name, "a.b");
}

static void an_answer_about_another_name_is_no_answer(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 2);
    ANSWER(&reply, "\0018\0012", PTR, "\4evil");
    answer(&reply, POINTER, 2, 16, "\4text", 5); /* a TXT record */
    assert_false(read_reply(&reply, name));
}

static void strange_bytes_stay_as_they_came_but_a_zero_is_refused(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    ANSWER(&reply, "\0017\0012", PTR, "\5\x1b[2J\n\3\xff.\"");
    assert_true(read_reply(&reply, name));
    assert_string_equal(name, "\x1b[2J\n.\xff.\"");

    begin(&reply, 1);
    ANSWER(&reply, "\0017\0012", PTR, "\3a\0b\7example");
    assert_false(read_reply(&reply, name));
}

static void the_root_is_no_name(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "", 1);
    assert_false(read_reply(&reply, name));
}

static void a_pointer_to_itself_or_forward_is_refused(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    /* The data starts at 12 + 5 + 4 + 2 + 10 = 33. */
    answer(&reply, POINTER, 2, PTR, "\xc0\x21", 2);
    assert_false(read_reply(&reply, name));

    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\1a\xc0\x21", 4); /* "a", then the same again and again */
    assert_false(read_reply(&reply, name));

    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\xc0\x23\1a\0", 5);
    assert_false(read_reply(&reply, name));

    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\xc0\x02", 2); /* into the header */
    assert_false(read_reply(&reply, name));
}

/* RFC 1035 section 2.3.4: 255 bytes on the wire. Labels of 63, 63, 63 and 61 make 255 with lengths and
 * root. */
static void a_name_of_255_bytes_is_read_and_one_of_256_is_not(void **state)
{
    (void)state;
    for (size_t last = 61; last <= 62; last++) {
        struct reply reply;
        char name[PTR_NAME_MAX + 1], data[256];
        size_t len = 0;
        for (size_t label = 0; label < 4; label++) {
            size_t label_len = label < 3 ? 63 : last;
            data[len++] = (char)label_len;
            memset(data + len, 'a', label_len);
            len += label_len;
        }
        data[len++] = 0;
        begin(&reply, 1);
        answer(&reply, POINTER, 2, PTR, data, len);
        assert_int_equal(read_reply(&reply, name), last == 61);
        if (last == 61)
            assert_int_equal(strlen(name), PTR_NAME_MAX);
    }
}

/* Lengths of 64 to 191 would be other kinds of labels (RFC 6891 section 5 gave them up). */
static void a_label_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1], data[256] = {0x40};
    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, data, sizeof data);
    assert_false(read_reply(&reply, name));
}

static void data_longer_or_shorter_than_its_name_is_refused(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\1a\0junk", 7);
    assert_false(read_reply(&reply, name));
    begin(&reply, 2);
    answer(&reply, POINTER, 2, PTR, "\1a", 2); /* its end is in the next record */
    answer(&reply, "", 1, PTR, "\1b", 3);
    assert_false(read_reply(&reply, name));
}

static void a_reply_cut_anywhere_gives_no_name(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, 1);
    answer(&reply, POINTER, 2, PTR, "\4host\7example", 14);
    for (size_t len = 0; len < writer_len(&reply.out); len++)
        assert_false(ptr_read(reply.bytes, len, name));
}

static void a_reply_that_claims_more_answers_than_it_has_gives_no_name(void **state)
{
    (void)state;
    struct reply reply;
    char name[PTR_NAME_MAX + 1];
    begin(&reply, UINT16_MAX);
    ANSWER(&reply, "\0018\0012", PTR, "\4evil");
    assert_false(read_reply(&reply, name));
}

/* Whatever is changed in a good reply, what is read is a name within its bounds, or nothing. */
static void damaged_replies_never_give_more_than_a_name(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rand rand = {seed};
        struct reply reply;
        begin(&reply, 2);
        answer(&reply, POINTER, 2, CNAME, "\0017\0040/25\0012", 10);
        ANSWER(&reply, "\0017\0040/25\0012", PTR, "\4host\7example");
        size_t len = writer_len(&reply.out);
        for (int i = 0; i < 4; i++)
            reply.bytes[rand_below(&rand, len)] = (uint8_t)rand_next(&rand);
        char name[PTR_NAME_MAX + 2];
        memset(name, 0x7e, sizeof name);
        bool found = ptr_read(reply.bytes, len, name);
        size_t name_len = strnlen(name, sizeof name);
        if (found ? name_len == 0 || name_len > PTR_NAME_MAX : name[0] != 0x7e)
            fail_msg("seed %llu: a name of %zu bytes", (unsigned long long)seed, name_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_for_an_ipv4_address_is_its_numbers_backwards),
        cmocka_unit_test(the_question_for_an_ipv6_address_is_its_nibbles_backwards),
        cmocka_unit_test(a_plain_answer_gives_its_name),
        cmocka_unit_test(a_name_is_followed_through_cnames_whatever_its_case),
        cmocka_unit_test(an_answer_about_another_name_is_no_answer),
        cmocka_unit_test(strange_bytes_stay_as_they_came_but_a_zero_is_refused),
        cmocka_unit_test(the_root_is_no_name),
        cmocka_unit_test(a_pointer_to_itself_or_forward_is_refused),
        cmocka_unit_test(a_name_of_255_bytes_is_read_and_one_of_256_is_not),
        cmocka_unit_test(a_label_of_another_kind_is_refused),
        cmocka_unit_test(data_longer_or_shorter_than_its_name_is_refused),
        cmocka_unit_test(a_reply_cut_anywhere_gives_no_name),
        cmocka_unit_test(a_reply_that_claims_more_answers_than_it_has_gives_no_name),
        cmocka_unit_test(damaged_replies_never_give_more_than_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
