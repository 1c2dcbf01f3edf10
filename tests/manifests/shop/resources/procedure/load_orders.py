def main(session):
    return "ok"
