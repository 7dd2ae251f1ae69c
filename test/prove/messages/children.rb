def leave(mark)
  [false, true, true].each do |is_daemon|
    fork do
      if is_daemon
        Process.setsid
        exit!(0) if fork
      end
      sleep 3600
    end
  end
  sleep 0.05
  'left'
end

def read
  Dir.children('/proc').grep(/\A\d+\z/).sort
end
