"""Running tasks: schedules, graph runs on the account's clock, EXECUTE TASK, what tasks know of their run, history."""
