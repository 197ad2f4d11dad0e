"""Where prices come from: a figure beside an amount, with its source and its time. No amount ever rests on one."""
