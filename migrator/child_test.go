package migrator_test

const envChild = "CROSSFADE_CRASH_CHILD"

func child() {}
