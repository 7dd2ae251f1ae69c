def leave(mark)
  [-> { Queue.new.pop }, -> { loop {} }, -> { sleep 3600 }].each { |wait| Thread.new(&wait).name = mark }
  word(act('churn_threads'))
end

def read
  Dir.children('/proc/self/task').sort
end
