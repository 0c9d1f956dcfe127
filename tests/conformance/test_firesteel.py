"""Jupyter's own conformance suite, with samples of our language."""

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


