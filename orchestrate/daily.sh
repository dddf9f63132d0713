#!/bin/sh
# Run a job of meltano.yml, for cron or a systemd timer. All that it says goes into a log; only if it
# fails, its last lines come out here, so that cron mails them. The exit code is that of the job.
#
#   orchestrate/daily.sh ENVIRONMENT JOB
set -u
cd "$(dirname "$0")/.." || exit 1
environment=${1:?which environment?}
job=${2:?which job?}
folder=output/$environment
log=$folder/logs/$job-$(date +%F).log
mkdir -p "$folder/logs" || exit 1
find "$folder/logs" -name '*.log' -mtime +30 -delete

.venv-tools/meltano/bin/meltano "--environment=$environment" run "$job" >>"$log" 2>&1
code=$?
if [ "$code" -ne 0 ]; then
  echo "$job ($environment) failed with exit code $code. The whole log is in $PWD/$log; its last lines:"
  tail -n 60 "$log"
  exit "$code"
fi

# For Prometheus: see docs/how-to/monitor.md.
name=pluvo_job_success_timestamp_seconds
cat >"$folder/$job.prom.unfinished" <<END
# HELP $name When the job last went well, from the tap to dbt.
# TYPE $name gauge
$name{environment="$environment",job_name="$job"} $(date +%s)
END
mv "$folder/$job.prom.unfinished" "$folder/$job.prom"
