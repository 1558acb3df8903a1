"""What the pipeline's machines rely on, and ministack alone would get wrong."""

import json
import threading
import time

from local.aws import names

COUNTER = """
import os
calls = 0

class NotReady(Exception):
    pass

class Broken(Exception):
    pass

def handle(event, context):
    global calls
    calls += 1
    if event.get("broken"):
        raise Broken("for good")
    if calls < 4:
        raise NotReady(f"call {calls}")
    return {"calls": calls, "process": os.getpid()}
"""


def invoke(function, payload):
    return {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload}, "Output": "{% $states.result.Payload %}",
    }  # fmt: skip


def test_retry_waits_for_an_error_by_its_class_in_a_function_that_lives_on(anstead):
    """A module's global is 4 at the end: the three errors did not cost the process."""
    function = anstead.make_function("test-counter", COUNTER)
    wait = invoke(function, {})
    wait["Retry"] = [{"ErrorEquals": ["NotReady"], "IntervalSeconds": 30, "MaxAttempts": 10, "BackoffRate": 1}]
    ended = anstead.run_machine("test-retry", {"Wait": wait})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"])["calls"] == 4


def test_catch_knows_an_error_by_its_class(anstead):
    function = anstead.make_function("test-broken", COUNTER)
    attempt = invoke(function, {"broken": True})
    attempt["Catch"] = [
        {"ErrorEquals": ["NotReady"], "Next": "Wrong"},
        {"ErrorEquals": ["Broken"], "Output": "{% $states.errorOutput %}", "Next": "Right"},
    ]
    states = {"Attempt": attempt, "Right": {"Type": "Succeed"}, "Wrong": {"Type": "Fail"}}
    ended = anstead.run_machine("test-catch", states)
    assert ended["status"] == "SUCCEEDED"
    caught = json.loads(ended["output"])
    assert caught["Error"] == "Broken"
    assert json.loads(caught["Cause"])["errorMessage"] == "for good"


def test_a_function_sees_its_zip_and_the_standard_library_only(anstead):
    source = """
import importlib.util, os, sys, tempfile
def handle(event, context):
    found = [name for name in ("ministack", "boto3", "psycopg2", "local", "shared") if importlib.util.find_spec(name)]
    return {"found": found, "tmp": tempfile.gettempdir(), "account": os.environ["AWS_ACCESS_KEY_ID"]}
"""
    function = anstead.make_function("test-alone", source)
    answer = json.loads(anstead.client("lambda").invoke(FunctionName=function)["Payload"].read())
    assert answer["found"] == []
    assert "test-alone" in answer["tmp"]
    assert answer["account"] == names.ANSTEAD


def test_task_token_travels_through_a_queue_and_comes_back(anstead):
    sqs, states = anstead.client("sqs"), anstead.client("stepfunctions")
    queue = sqs.create_queue(QueueName="test-tokens")["QueueUrl"]

    def answer():
        while not (messages := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")):
            pass
        body = json.loads(messages[0]["Body"])
        states.send_task_heartbeat(taskToken=body["token"])
        states.send_task_success(taskToken=body["token"], output=json.dumps({"done": body["items"]}))

    thread = threading.Thread(target=answer)
    thread.start()
    ask = {
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": queue, "MessageBody": {"token": "{% $states.context.Task.Token %}", "items": 7}},
    }  # fmt: skip
    ended = anstead.run_machine("test-token", {"Ask": ask})
    thread.join()
    assert json.loads(ended["output"]) == {"done": 7}


def test_a_task_without_heartbeats_times_out_and_one_with_them_does_not(anstead):
    """Ten seconds of AWS's are a fifth of one here, and two at least in these tests."""
    sqs, states = anstead.client("sqs"), anstead.client("stepfunctions")
    queue = sqs.create_queue(QueueName="test-heartbeats")["QueueUrl"]
    ask = {
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "HeartbeatSeconds": 10,
        "Arguments": {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"},
    }  # fmt: skip
    ended = anstead.run_machine("test-silent", {"Ask": dict(ask)})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.HeartbeatTimeout")
    sqs.purge_queue(QueueUrl=queue)

    def beat():
        while not (messages := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")):
            pass
        for _ in range(8):
            time.sleep(0.5)
            states.send_task_heartbeat(taskToken=messages[0]["Body"])
        states.send_task_success(taskToken=messages[0]["Body"], output="{}")

    thread = threading.Thread(target=beat)
    thread.start()
    ended = anstead.run_machine("test-alive", {"Ask": dict(ask)})
    thread.join()
    assert ended["status"] == "SUCCEEDED"


def test_a_nested_execution_hands_its_output_up(anstead):
    anstead.run_machine("test-child", {"Say": {"Type": "Pass", "Output": {"said": "{% $states.input.word %}"}}})
    nested = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": names.arn("states", names.ANSTEAD, "stateMachine:test-child"), "Input": {"word": "ok"}},
        "Output": "{% $states.result.Output %}",
    }  # fmt: skip
    assert json.loads(anstead.run_machine("test-parent", {"Run": nested})["output"]) == {"said": "ok"}


def test_a_nested_execution_that_fails_says_why(anstead):
    fail = {"Type": "Fail", "Error": "OutOfCheese", "Cause": "redo from start"}
    assert anstead.run_machine("test-failing-child", {"Fail": fail})["status"] == "FAILED"
    nested = {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": names.arn("states", names.ANSTEAD, "stateMachine:test-failing-child"), "Input": {}},
    }  # fmt: skip
    ended = anstead.run_machine("test-failing-parent", {"Run": nested})
    assert ended["error"] == "States.TaskFailed"
    cause = json.loads(ended["cause"])
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "OutOfCheese", "redo from start")


def test_a_machine_that_is_gone_can_be_deleted_again(anstead):
    """AWS knows no error for it: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html"""
    ended = anstead.run_machine("test-short-lived", {"Only": {"Type": "Succeed"}})
    for _ in range(2):
        anstead.client("stepfunctions").delete_state_machine(stateMachineArn=ended["stateMachineArn"])


def test_snapshot_copy_and_share_by_sdk_integration(earl, stack):
    """EARL's way: each call under the names that Step Functions uses (Db..., KmsKeyId)."""

    def task(action, arguments):
        return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:rds:{action}", "Arguments": arguments}

    key = earl.client("kms").create_key()["KeyMetadata"]["Arn"]
    create = {"DbInstanceIdentifier": names.PRODUCTION, "DbSnapshotIdentifier": "test-sdk"}
    copy = {"SourceDbSnapshotIdentifier": "test-sdk", "TargetDbSnapshotIdentifier": "test-sdk-shared", "KmsKeyId": key}
    share = {"DbSnapshotIdentifier": "test-sdk-shared", "AttributeName": "restore", "ValuesToAdd": [names.ANSTEAD]}
    copy_task = task("copyDBSnapshot", copy)
    copy_task["Retry"] = [
        {"ErrorEquals": ["Rds.InvalidDbSnapshotStateException"], "IntervalSeconds": 10, "MaxAttempts": 60}
    ]
    look = task("describeDBSnapshots", {"DbSnapshotIdentifier": "test-sdk-shared"})
    look["Output"] = "{% $states.result.DbSnapshots[0] %}"
    states = {
        "Create": task("createDBSnapshot", create), "Copy": copy_task, "Share": task("modifyDBSnapshotAttribute", share),
        "Look": look,
    }  # fmt: skip
    ended = earl.run_machine("test-snapshot", states)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    found = json.loads(ended["output"])
    assert (found["KmsKeyId"], found["Status"]) == (key, "available")
    seen = stack.client("ANSTEAD", "rds").describe_db_snapshots(DBSnapshotIdentifier=found["DbSnapshotArn"])
    assert seen["DBSnapshots"][0]["DBSnapshotIdentifier"] == "test-sdk-shared"
    again = earl.run_machine("test-snapshot-again", {"Create": task("createDBSnapshot", create)})
    assert again["error"] == "Rds.DbSnapshotAlreadyExistsException"


def test_topic_of_one_account_reaches_the_queue_of_the_other(anstead, earl):
    sqs = anstead.client("sqs")
    queue = sqs.create_queue(QueueName="test-heard")["QueueUrl"]
    topic = earl.client("sns").create_topic(Name="test-said")["TopicArn"]
    queue_arn = names.arn("sqs", names.ANSTEAD, "test-heard")
    anstead.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    publish = {
        "Type": "Task", "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": topic, "Message": "{% $string({'run_date': '2026-11-01'}) %}"},
    }  # fmt: skip
    assert earl.run_machine("test-publish", {"Publish": publish})["status"] == "SUCCEEDED"
    deadline = time.monotonic() + 10
    while not (found := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")):
        assert time.monotonic() < deadline
    envelope = json.loads(found[0]["Body"])
    assert envelope["TopicArn"] == topic
    assert json.loads(envelope["Message"]) == {"run_date": "2026-11-01"}


def test_a_role_of_the_other_account_can_be_assumed(anstead, stack):
    role = f"arn:aws:iam::{names.EARL}:role/{names.INTERVAL_ROLE}"
    granted = anstead.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    import boto3

    session = boto3.Session(
        granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"], region_name=names.REGION
    )
    tables = session.client("dynamodb", endpoint_url=stack.endpoint_url).list_tables()["TableNames"]
    assert tables == [names.EARL_INTERVAL_TABLE]
