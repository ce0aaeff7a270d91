#include "report/report.h"

const struct report_ops *const report_table[] = {
    &report_normal, &report_xml, &report_json, &report_grepable, &report_list,
};
const unsigned report_table_len = sizeof report_table / sizeof report_table[0];
