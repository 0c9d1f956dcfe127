"""Jupyter's own conformance suite, with samples of our language."""

import time

import jupyter_kernel_test


class FiresteelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "firesteel"
    language_name = "sql"
    file_extension = ".sql"

    completion_samples = [
        {"text": "%lsm", "matches": {"%lsmagic"}},
        {"text": "SELEC", "matches": {"SELECT"}},
    ]
    complete_code_samples = ["SELECT 1", "SELECT 1;", "-- nothing", "", "%help", "BEGIN SELECT 1; END"]
    incomplete_code_samples = ["SELECT (1", "SELECT 'a", "/* never closed", "BEGIN SELECT 1;"]
    invalid_code_samples = []

    code_generate_error = "%nosuchmagic"
    code_execute_result = [
        {"code": "%lsmagic"},
        {"code": "%help limit"},
        {"code": "%limit"},
    ]
    code_display_data = [
        {"code": "SELECT 1 AS one", "mime": "text/html"},
        {"code": "SELECT 1 AS one", "mime": "text/plain"},
    ]
    code_history_pattern = "%l*c"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "%help"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The suite waits 15 s for a reply; a driver's start may take longer on a busy machine.
        cls.kc.execute("SELECT 1", silent=True, reply=True, timeout=120)

    def test_an_interrupted_cell_ends_and_the_next_one_runs(self):
        self.flush_channels()
        slow = "SELECT count(*) FROM range(0, 1000000000000) WHERE id % 7 = 3"
        msg_id = self.kc.execute(slow)
        while self.kc.get_iopub_msg(timeout=10)["parent_header"].get("msg_id") != msg_id:
            pass
        self.km.interrupt_kernel()
        reply = self.get_non_kernel_info_reply(timeout=10)
        self.assertEqual(reply["parent_header"]["msg_id"], msg_id)
        self.assertEqual(reply["content"]["status"], "error")
        self.assertEqual(reply["content"]["ename"], "KeyboardInterrupt")
        self.flush_channels()
        reply, _ = self.execute_helper("SELECT 2", timeout=30)
        self.assertEqual(reply["content"]["status"], "ok")

    def test_columns_of_a_view_are_completed_and_a_function_is_inspected(self):
        self.flush_channels()
        self.execute_helper("CREATE OR REPLACE TEMP VIEW trips AS SELECT 1 AS city_id, 'x' AS `trip name`", timeout=60)
        # What is not known in time is learned in the background.
        for _ in range(60):
            code = "SELECT '😀', t. FROM trips t"
            reply = self.kc.complete(code, cursor_pos=14, reply=True, timeout=30)["content"]
            usage = self.kc.inspect("SELECT concat('a')", cursor_pos=10, reply=True, timeout=30)["content"]
            if reply["matches"] and "Examples" in str(usage["data"]):
                break
            time.sleep(1)
        self.assertEqual(reply["matches"], ["`trip name`", "city_id"])
        self.assertEqual((reply["cursor_start"], reply["cursor_end"]), (14, 14))
        self.assertIn("concat", usage["data"]["text/plain"])
        self.assertIn("Examples", usage["data"]["text/plain"])
